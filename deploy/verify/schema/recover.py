#!/usr/bin/env python3
"""Recovers a provider's schema from its prebuilt TypeScript bindings, and keeps the types that deploy/terraform uses.

The bindings (npm, MPL-2.0) hold their TypeScript in inline source maps; each field there is preceded by a comment that
says whether it is computed, optional or required. refresh.py fetches them and runs this."""
import base64
import json
import pathlib
import re

import patches

TERRAFORM = pathlib.Path(__file__).resolve().parents[2] / "terraform"
CLASS = re.compile(
    r"^export class (\w+) extends \w+\."
    r"(TerraformResource|TerraformDataSource|TerraformProvider|ComplexObject|ComplexList|ComplexMap)\b", re.M)
FLAG = re.compile(
    r"// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n"
    r"((?:.|\n)*?)(?=\n  // \w+ - computed|\n  // =====|\Z)")
# What a getter is called tells the type of its field; the longer names come first.
GETTERS = [
    ("getStringMapAttribute", ["map", "string"]), ("getNumberMapAttribute", ["map", "number"]),
    ("getBooleanMapAttribute", ["map", "bool"]), ("getStringAttribute", "string"),
    ("getNumberAttribute", "number"), ("getBooleanAttribute", "bool"),
    ("getNumberListAttribute", ["list", "number"]), ("getAnyMapAttribute", ["map", "dynamic"]),
    ("getListAttribute", ["list", "string"]), ("getListOfStringsAttribute", ["list", "string"])]
MAP_OF = {"String": "string", "Number": "number", "Boolean": "bool", "Any": "dynamic"}


def typescript(javascript):
    found = re.search(r"sourceMappingURL=data:application/json;base64,([A-Za-z0-9+/=]+)", javascript)
    return json.loads(base64.b64decode(found.group(1)))["sourcesContent"][0] if found else ""


class File:
    """One file of the bindings: a resource or data source and the classes of its blocks."""

    def __init__(self, text):
        self.text = text
        marks = [(m.start(), m.group(1), m.group(2)) for m in CLASS.finditer(text)]
        ends = [m[0] for m in marks[1:]] + [len(text)]
        self.body = {name: text[start:end] for (start, name, _), end in zip(marks, ends)}
        self.kind = {name: kind for _, name, kind in marks}

    def item(self, name):
        """The class of one element of a list or map."""
        kind = self.kind.get(name)
        cut = {"ComplexList": 4, "ComplexMap": 3}.get(kind, 0)
        return name[:-cut] + "OutputReference" if cut else name

    def is_block(self, name, field):
        base = re.sub(r"(OutputReference|List|Map)$", "", name)
        return re.search(r"\* %s block\n(?:(?!\*/)(?:.|\n))*?\*/\n\s+readonly \w+\??: %s(\[\]|\b)" % (field, base),
                         self.text) is not None

    def nested(self, field, name, is_set):
        kind = self.kind.get(name)
        if kind == "ComplexMap":
            field["nest"] = "map"
        elif kind == "ComplexList":
            field["nest"] = "set" if is_set else "list"
        else:  # One element at most, or a single object: how it is constructed tells.
            made = re.search(r"super\((.*?)\);", self.body.get(self.item(name), ""))
            arguments = [a.strip() for a in made.group(1).split(",")] if made else []
            field["nest"] = "single" if len(arguments) < 4 else "set" if arguments[2] == "true" else "list"
            field["max1"] = True

    @staticmethod
    def plain(rest):
        """The type of a field that is no block."""
        kind = next((t for getter, t in GETTERS if getter + "(" in rest), "dynamic")
        mapped = re.search(r"new \w+\.(String|Number|Boolean|Any)Map(List)?\(this", rest)
        if mapped:
            kind = ["map", MAP_OF[mapped.group(1)]]
            kind = ["list", kind] if mapped.group(2) else kind
        if "Fn.tolist(" in rest and isinstance(kind, list):
            kind = ["set", kind[1]]
        if kind == ["list", "string"] and re.search(r"private _\w+\??!?: number\[\]", rest):
            kind = ["list", "number"]
        if kind == "dynamic":
            keyed = re.search(r"\{ \[key: string\]: (string|number|boolean)(\[\])? \}", rest)
            if keyed:
                of = keyed.group(1).replace("boolean", "bool")
                kind = ["map", ["list", of] if keyed.group(2) else of]
        return kind

    def fields(self, name):
        out = {}
        for field_name, computed, optional, required, rest in FLAG.findall(self.body.get(name, "")):
            field = {"computed": computed == "true", "optional": optional == "true", "required": required == "true"}
            made = re.search(r'new (\w+(?:List|OutputReference|Map))\(this, "%s"(?:, (true|false))?\)' % field_name, rest)
            if made:
                self.nested(field, made.group(1), made.group(2) == "true")
                answer_only = field["computed"] and not field["optional"]
                field["block"] = self.is_block(made.group(1), field_name) and not answer_only
                field["fields"] = self.fields(self.item(made.group(1)))
            else:
                field["type"] = self.plain(rest)
            out[field_name] = field
        return out

    def types(self):
        for name, kind in self.kind.items():
            if kind in ("TerraformResource", "TerraformDataSource"):
                called = re.search(r'tfResourceType(?: *: *string)? *= *"(\w+)"', self.body[name]).group(1)
                called = called.removeprefix("data_") if kind == "TerraformDataSource" else called
                yield ("resource" if kind == "TerraformResource" else "data"), called, self.fields(name)


def used(provider):
    """The types of a provider that some .tf file speaks of."""
    text = "\n".join(p.read_text() for p in TERRAFORM.rglob("*.tf"))
    return {(kind, name) for kind, name in re.findall(r'^(resource|data) "(%s_\w+)"' % provider, text, re.M)}


def schema(files):
    """The schema of what is in use, out of the texts of the bindings' index.js files."""
    wanted = used("aws")
    made = {"provider": patches.PROVIDER, "resource": {}, "data": {}}
    for text in files:
        for kind, name, fields in File(typescript(text)).types():
            if (kind, name) in wanted:
                made[kind][name] = fields
    patches.apply(made)
    return complete(made, wanted)


def complete(made, wanted):
    """The schema, if it knows all that is in use."""
    missing = sorted(f"{kind} {name}" for kind, name in wanted if name not in made[kind])
    if missing:
        raise SystemExit("the bindings do not know " + ", ".join(missing))
    return made


def lines(made, provider):
    """As a file: one type a line, so that a difference shows which type changed."""
    text = json.dumps(made, indent=None, separators=(",", ":"), sort_keys=True)
    return re.sub(r'("%s_\w+":\{)' % provider, r"\n\1", text) + "\n"
