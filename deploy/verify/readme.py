#!/usr/bin/env python3
"""Writes the tables of inputs and outputs into each module's README, between the marks. Usage: readme.py [--check]"""
import pathlib
import re
import sys

MODULES = pathlib.Path(__file__).resolve().parents[1] / "terraform/modules"
MARKS = re.compile(r"<!-- tables -->\n.*<!-- end of tables -->\n", re.S)


def blocks(path, kind):
    for name, body in re.findall(r'^%s "(\w+)" \{\n(.*?)^\}' % kind, path.read_text(), re.M | re.S):
        said = re.search(r'description\s*= "((?:\\.|[^"\\])*)"', body)
        default = re.search(r"^  default\s*= (.*)$", body, re.M)
        yield name, said.group(1).replace("|", "\\|"), default and default.group(1)


def tables(module):
    out = ["| input | meaning | default |", "|---|---|---|"]
    for name, said, default in blocks(module / "variables.tf", "variable"):
        short = "required" if default is None else f"`{default}`" if default not in ("{", "[") else "see variables.tf"
        out.append(f"| `{name}` | {said} | {short} |")
    out += ["", "| output | meaning |", "|---|---|"]
    out += [f"| `{name}` | {said} |" for name, said, _ in blocks(module / "outputs.tf", "output")]
    return "<!-- tables -->\n" + "\n".join(out) + "\n<!-- end of tables -->\n"


def main():
    stale = []
    for readme in sorted(MODULES.glob("*/README.md")):
        text = readme.read_text()
        fresh = MARKS.sub(lambda _: tables(readme.parent), text)
        if fresh != text:
            stale.append(readme.parent.name)
            if "--check" not in sys.argv:
                readme.write_text(fresh)
    missing = [m.name for m in MODULES.iterdir() if not (m / "README.md").exists()]
    if missing or (stale and "--check" in sys.argv):
        sys.exit(f"readme: stale: {stale}, missing: {missing}; deploy/verify/readme.py writes them")


if __name__ == "__main__":
    main()
