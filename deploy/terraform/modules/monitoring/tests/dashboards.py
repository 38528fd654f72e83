"""What is wrong with the body of a CloudWatch dashboard. AWS publishes no schema of it: this is ours."""
import json
import pathlib
import re

import jsonschema

SCHEMA = json.loads(pathlib.Path(__file__).with_name("dashboard.schema.json").read_text())
# Words in an expression that are no ids: functions, and what stands in quotes.
FUNCTION = re.compile(r"\b[A-Z_]+\b(?=\()|'[^']*'|\"[^\"]*\"")


def faults(body):
    """Each fault with its place."""
    for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(body):
        yield f"{error.json_path}: {error.message[:200]}"
    widgets = body.get("widgets", [])
    for number, widget in enumerate(widgets):
        place = f"widget {number} ({widget.get('properties', {}).get('title', widget.get('type'))})"
        if widget["x"] + widget["width"] > 24:
            yield f"{place}: wider than the page of 24 columns"
        for other in widgets[:number]:
            if overlap(widget, other):
                yield f"{place}: lies over {other['properties'].get('title')}"
        for fault in rows(widget["properties"].get("metrics", [])):
            yield f"{place}: {fault}"


def overlap(one, other):
    def apart(start, length):
        return one[start] + one[length] <= other[start] or other[start] + other[length] <= one[start]
    return not (apart("x", "width") or apart("y", "height"))


def rows(metrics):
    """Each row is a namespace, a name and pairs, then options; or options with an expression over ids that are there."""
    ids, seen = [], []
    for row in metrics:
        words = [part for part in row if isinstance(part, str)]
        options = row[-1] if isinstance(row[-1], dict) else {}
        if len(row) - len(words) > 1 or (options and row[-1] is not options):
            yield f"{row}: options stand once, at the end"
        if "expression" in options:
            if words:
                yield f"{options['expression']}: an expression has no metric beside it"
            seen.append(options["expression"])
        elif len(words) < 2 or len(words) % 2:
            yield f"{' '.join(words)}: not a namespace, a name and pairs of a dimension and its value"
        ids += [options["id"]] if "id" in options else []
    for name in {name for name in ids if ids.count(name) > 1}:
        yield f"the id {name} is there twice"
    for expression in seen:
        for name in set(re.findall(r"\b[a-z]\w*\b", FUNCTION.sub(" ", expression))) - set(ids):
            yield f"{expression}: there is no {name}"
