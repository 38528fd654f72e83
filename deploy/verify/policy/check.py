#!/usr/bin/env python3
"""Holds a plan against our rules. Usage: check.py PLAN.json [--production]   (terraform show -json plan > PLAN.json)
Exit code 1 where a rule is broken, 65 where the file is no plan. Values that are only known after the apply can't be
judged here: run it on the plan after the first apply again."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rules


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 64
    try:
        plan = json.loads(pathlib.Path(arguments[0]).read_text())
        found = rules.judge(plan, "--production" in arguments)
    except (KeyError, ValueError) as error:
        print(f"check: {arguments[0]} is no plan: {error}", file=sys.stderr)
        return 65
    for rule, address, what in found:
        print(f"{rule}: {address} {what}")
    print(f"{len(rules.resources(plan))} resources, {len(rules.RULES)} rules, {len(found)} broken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
