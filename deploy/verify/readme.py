#!/usr/bin/env python3
"""Writes the tables of inputs and outputs into each module's README, between the marks. Usage: readme.py [--check]"""
import pathlib
import re
import sys

MODULES = pathlib.Path(__file__).resolve().parents[1] / "terraform/modules"
MARKS = re.compile(r"<!-- tables -->\n.*<!-- end of tables -->\n", re.S)


def blocks(module, kind):
    """The blocks of a kind in a module's files: variables stand in variables.tf, or in variables-….tf where they are many."""
    text = "\n".join(path.read_text() for path in sorted(module.glob(f"{kind}s*.tf")))
    for name, body in re.findall(r'^%s "(\w+)" \{\n(.*?)^\}' % kind, text, re.M | re.S):
        said = re.search(r'description\s*= "((?:\\.|[^"\\])*)"', body)
        default = re.search(r"^  default\s*= (.*)$", body, re.M)
        yield name, said.group(1).replace("|", "\\|"), default and default.group(1)


def tables(module):
    out = ["| input | meaning | default |", "|---|---|---|"]
    for name, said, default in blocks(module, "variable"):
        short = "required" if default is None else f"`{default}`" if default not in ("{", "[") else "see variables.tf"
        out.append(f"| `{name}` | {said} | {short} |")
    out += ["", "| output | meaning |", "|---|---|"]
    out += [f"| `{name}` | {said} |" for name, said, _ in blocks(module, "output")]
    return "<!-- tables -->\n" + "\n".join(out) + "\n<!-- end of tables -->\n"


def stale(write=False):
    """Modules whose README does not say what their files say, or is not there."""
    found = []
    for module in sorted(p for p in MODULES.iterdir() if (p / "variables.tf").exists()):
        path = module / "README.md"
        text = path.read_text() if path.exists() else ""
        fresh = MARKS.sub(lambda _, module=module: tables(module), text)
        if fresh != text or not MARKS.search(text):
            found.append(module.name)
            if write and text:
                path.write_text(fresh)
    return found


def main():
    found = stale(write="--check" not in sys.argv)
    if found and "--check" in sys.argv:
        sys.exit(f"readme: stale or missing: {', '.join(found)}; deploy/verify/readme.py writes them")


if __name__ == "__main__":
    main()
