#!/usr/bin/env python3
"""Holds a plan against our rules. Usage: check.py PLAN.json [--production]   (terraform show -json plan > PLAN.json)
Exit code 1 where a rule is broken, 65 where the file is no plan. What only the apply will tell
counts as set: run it on the plan after the first apply again."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from policy import rules  # noqa: E402
from policy.plan import Plan  # noqa: E402


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
    print(f"{len(Plan(plan).resources)} resources, {len(rules.RULES)} rules, {len(found)} broken")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
