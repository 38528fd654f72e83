#!/usr/bin/env python3
"""Runs load scenarios: starts weir and its demo service on free loopback ports, runs, judges, stops.

  loadtest/run.py                      list the scenarios
  loadtest/run.py smoke steady         run these
  URL=https://staging.example.com ALLOW_TARGET=staging.example.com loadtest/run.py smoke

Exit codes: 0 passed, 1 failed, 64 wrong usage, 69 weir did not start, 70 a tool is missing or broke.
loadtest/README.md has the scenarios and their parameters.
"""

import argparse
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

from kit import catalog, params, report, service, tools  # noqa: E402
from kit.target import Refused, Target  # noqa: E402

PASSED, FAILED, USAGE, UNAVAILABLE, SOFTWARE = 0, 1, 64, 69, 70
ROOT = catalog.HERE.parent


def main():
    # What scripts/setup.sh load installed.
    os.environ["PATH"] = f"{ROOT / '.tools/bin'}:{os.environ.get('PATH', '')}"
    args = arguments()
    known = catalog.scenarios()
    if not args.scenario:
        width = max(map(len, known))
        print("\n".join(f"{s.name:<{width}}  {s.about}" for s in known.values()))
        return PASSED
    strange = [name for name in args.scenario if name not in known]
    if strange:
        print(f"no scenario \"{strange[0]}\": expected one of {', '.join(known)}", file=sys.stderr)
        return USAGE
    # Told to stop, it stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    out = Path(args.out).absolute()
    try:
        out.mkdir(parents=True, exist_ok=True)
        verdicts = [run(known[name], args, out) for name in args.scenario]
    except (Refused, params.Wrong) as error:
        print(error, file=sys.stderr)
        return USAGE
    except service.Unavailable as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE
    except tools.Failed as error:
        print(error, file=sys.stderr)
        return SOFTWARE
    return PASSED if all(verdicts) else FAILED


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO")
    parser.add_argument("--weir", default=os.environ.get("WEIR", ROOT / "target/release/weir"), help="the binary")
    parser.add_argument("--out", default=os.environ.get("OUT", ROOT / "target/loadtest"), help="folder of the summaries")
    parser.add_argument("--spoil", choices=["open", "broken"],
                        help="run against a weir that limits nothing, or a service that is broken: what must fail")
    return parser.parse_args()


def run(scenario, args, out):
    """Runs one scenario, prints its verdict, and says whether it passed."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        url, weir = os.environ.get("URL"), None
        if args.spoil == "broken":
            url = "http://" + stack.enter_context(service.Broken()).http
        elif args.spoil == "open" or not url:
            config = catalog.HERE / "conf/open.toml" if args.spoil else scenario.config
            weir = stack.enter_context(service.Weir(args.weir, config))
            url = "http://" + weir.http
        target = Target(url, os.environ.get("ALLOW_TARGET"))
        watch = stack.enter_context(service.Watch(weir)) if weir else None
        judged, rows = [], []
        if scenario.tool == "k6":
            judged = tools.k6(scenario, target, out)
        elif scenario.tool == "oha":
            rows = tools.oha(scenario, target, out)
        else:
            rows = tools.slow(scenario, target, out, watch)
        if watch:
            watch.look()
            alive = weir.process.poll() is None
            rows += service.judge_weir(alive, weir.overrun() if alive else "?", watch.first, watch.peak)
    page = report.write(scenario, rows, judged, target.url, time.monotonic() - began, out)
    print(f"{report.text(scenario, judged + rows)}\n  {page}", flush=True)
    return report.passed(judged + rows)


if __name__ == "__main__":
    sys.exit(main())
