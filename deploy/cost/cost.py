#!/usr/bin/env python3
"""What weir's architecture costs in AWS: three sizes, and what an hour of attack adds.

examples:
  cost.py                       print the tables of docs/cost.md
  cost.py --write               put them into docs/cost.md
  cost.py --check               exit code 1 if that document has others
  cost.py --sizes mine.json     your own sizes: {"ours": {"rps": 300, "tasks": 3, "vcpu": 1, "memory_gb": 2,
                                "node": "cache.t4g.small"}}

Prices: prices.json. What is taken for granted: assume.py.
exit codes: 0 well; 1 the document is stale; 64 wrong command line; 65 a fault in the sizes or prices
"""

import argparse
import json
import pathlib
import sys

import assume as a
from model import Faulty, attack, bears, month, read_sizes

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/cost.md"
BEGIN, END = "<!-- made by deploy/cost/cost.py -->", "<!-- end of what was made -->"


def main() -> int:
    """Prints, writes or checks the tables."""
    parser = argparse.ArgumentParser(prog="cost.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=pathlib.Path, default=pathlib.Path(__file__).with_name("sizes.json"), help="a JSON file")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/cost.md")
    parser.add_argument("--check", action="store_true", help="fail where docs/cost.md has other tables")
    parser.error = lambda message: parser.exit(64, f"cost.py: {message}, see --help\n")
    args = parser.parse_args()
    try:
        prices = json.loads(pathlib.Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
        made = tables(read_sizes(args.sizes, prices), prices)
    except (Faulty, OSError, json.JSONDecodeError) as error:
        print(f"cost.py: {error}", file=sys.stderr)
        return 65
    if not (args.write or args.check):
        print(made)
        return 0
    before = DOCUMENT.read_text(encoding="utf-8")
    after = before[:before.index(BEGIN) + len(BEGIN)] + "\n" + made + "\n" + before[before.index(END):]
    if args.write:
        DOCUMENT.write_text(after, encoding="utf-8")
    elif after != before:
        print("docs/cost.md is stale: deploy/cost/cost.py --write", file=sys.stderr)
        return 1
    return 0


def tables(sizes: dict, prices: dict) -> str:
    """All tables, as Markdown."""
    return "\n\n".join([summary(sizes, prices), arithmetic(sizes, prices), flood(sizes, prices), listed(prices)])


def dollars(value: float) -> str:
    """Without cents, from a dollar on."""
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:.2f}"


def summary(sizes: dict, prices: dict) -> str:
    """One row a part, one column a size."""
    sums = {name: month(size, prices) for name, size in sizes.items()}
    names = list(next(iter(sums.values())))
    lines = ["## A month", "",
             "| dollars a month | " + " | ".join(f"{name}: {size['rps']:,}/s" for name, size in sizes.items()) + " |",
             "|---|" + "--:|" * len(sizes),
             "| weir's tasks | " + " | ".join(f"{s['tasks']} × {s['vcpu']:g} vCPU, {s['memory_gb']:g} GB" for s in sizes.values()) + " |"]
    for name in names:
        if name != "data out":
            lines.append(f"| {name} | " + " | ".join(dollars(each[name].dollars) for each in sums.values()) + " |")
    totals = [sum(line.dollars for name, line in each.items() if name != "data out") for each in sums.values()]
    lines.append("| **all of this** | " + " | ".join(f"**{dollars(total)}**" for total in totals) + " |")
    lines.append("| … for a million requests | " + " | ".join(
        f"{total / (size['rps'] * a.SECONDS / 1e6):.2f}" for total, size in zip(totals, sizes.values())) + " |")
    lines.append("| data to clients, which you pay without weir too | " + " | ".join(dollars(each["data out"].dollars) for each in sums.values()) + " |")
    lines.append("| bears, with one task gone | " + " | ".join(
        f"{a.PEAK * size['rps']:,}/s good and {bears(size):,.0f}/s refused" for size in sizes.values()) + " |")
    return "\n".join(lines)


def arithmetic(sizes: dict, prices: dict) -> str:
    """How one size comes about, step by step."""
    name = "medium" if "medium" in sizes else next(iter(sizes))
    lines = [f"## The arithmetic of {name}", "", "| part | dollars | how |", "|---|--:|---|"]
    lines += [f"| {part} | {line.dollars:,.2f} | {line.how} |" for part, line in month(sizes[name], prices).items()]
    return "\n".join(lines)


def flood(sizes: dict, prices: dict) -> str:
    """What an hour of attack adds."""
    ways = {"refused by weir": 0.0, "95 % blocked by AWS WAF": 0.95}
    sums = {way: attack(share, prices) for way, share in ways.items()}
    lines = [f"## What {a.ATTACK_HOURS} h at {a.ATTACK_RPS:,} requests a second adds", "",
             "| dollars | " + " | ".join(sums) + " | how |", "|---|" + "--:|" * len(sums) + "---|"]
    for part in next(iter(sums.values())):
        each = [way[part] for way in sums.values()]
        lines.append(f"| {part} | " + " | ".join(f"{line.dollars:,.2f}" for line in each) + f" | {each[-1].how} |")
    lines.append("| **all** | " + " | ".join(f"**{sum(line.dollars for line in way.values()):,.0f}**" for way in sums.values()) + " | |")
    return "\n".join(lines)


def listed(prices: dict) -> str:
    """The prices themselves."""
    lines = ["## The prices", "",
             f"{prices['region']}, as of {prices['as_of']}. **?**: from memory, look it up before you rely on it.", "",
             "| dollars | for a | offer in the price list |", "|--:|---|---|"]
    lines += [f"| {each['dollars']:g}{'' if each['seen'] else ' **?**'} | {each['unit']} | {each['offer']} |" for each in prices["prices"].values()]
    steps = ", ".join(f"{price:g}{'' if not number else ' **?**'} " + (f"up to {top:,} GB" if top else "beyond")
                      for number, (top, price) in enumerate(prices["data_out"]["steps"]))
    lines.append(f"| {steps} | GB to the internet | {prices['data_out']['offer']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
