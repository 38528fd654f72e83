"""A verdict as a table on the screen, and as Markdown and JSON in a folder."""

import json
from pathlib import Path


def text(scenario, rows):
    """The verdict for the screen."""
    width = max(len(r["says"]) for r in rows)
    verdict = "passed" if passed(rows) else "FAILED"
    lines = [f"{scenario.name}: {verdict}"]
    lines += [f"  {'ok  ' if r['ok'] else 'FAIL'} {r['says']:<{width}}  {r['value']} ({r['wanted']})" for r in rows]
    return "\n".join(lines)


def passed(rows):
    """Whether all is as it was wanted; nothing measured is a fault."""
    return bool(rows) and all(r["ok"] for r in rows)


def write(scenario, rows, judged_by_k6, where, seconds, out):
    """NAME.md and NAME.json. k6 has written its own; what the runner saw besides is added."""
    page, data = Path(out, f"{scenario.name}.md"), Path(out, f"{scenario.name}.json")
    lines = [f"| {r['says']} | {r['value']} | `{r['wanted']}` | {'ok' if r['ok'] else '**FAIL**'} |" for r in rows]
    table = ["| | measured | wanted | |", "|---|---|---|---|", *lines]
    if scenario.tool == "k6":
        whole = passed(judged_by_k6 + rows)
        old = page.read_text().split("\n", 1)[1]
        table = [old, "weir and the service behind it:", "", *table] if rows else [old]
    else:
        whole = passed(rows)
        table = ["", f"{where}, {seconds:.0f} s, {scenario.tool}.", "", *table]
    page.write_text("\n".join([f"# {scenario.name}: {'passed' if whole else 'FAILED'}", *table]) + "\n")
    result = {"scenario": scenario.name, "passed": whole, "seconds": seconds, "rows": judged_by_k6 + rows}
    data.write_text(json.dumps(result, indent=2) + "\n")
    return page
