#!/usr/bin/env python3
"""Verifies deploy/ without a cloud: each step prints a line, and a table at the end sums up."""
import argparse
import functools
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / ".tools"
# What scripts/setup.sh deploy has installed, for this process and for the stub.
PACKAGES = [str(TOOLS / "py/deploy"), str(TOOLS / "py/moto_server")]
sys.path[:0] = [str(HERE)]
sys.path.extend(PACKAGES)
os.environ["PYTHONPATH"] = os.pathsep.join([os.environ.get("PYTHONPATH", ""), *PACKAGES]).strip(os.pathsep)
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
# Terraform lives for seconds: with less of its collector it needs a quarter less of the processor.
os.environ.setdefault("GOGC", "400")
# Without the 1,300 machine images that moto would make anew for each test.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
sys.dont_write_bytecode = True

from lib import standing, steps  # noqa: E402
from lib import terraform as tf  # noqa: E402


class Run:
    """What was chosen, and the environments, applied once for all steps that plan on them."""

    def __init__(self, short, folder):
        self.short, self.folder = short, folder
        self._stub = None

    def environments(self):
        return [(name, production) for name, production in standing.ENVIRONMENTS.items() if production or not self.short]

    @functools.cached_property
    def standing(self):
        self._stub = tf.stub()
        return standing.Standing(self.folder, self._stub.__enter__())

    def close(self):
        if self._stub:
            self._stub.__exit__(None, None, None)


def arguments(given):
    width = max(map(len, steps.STEPS))
    listed = "\n".join(f"  {name:<{width}}  {step.__doc__}{' (not in --short)' if name in steps.LONG else ''}" for name, step in steps.STEPS.items())
    parser = argparse.ArgumentParser(prog="verify.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog=f"steps:\n{listed}\n\nexit codes: 0 all passed, 1 a step failed, 64 wrong command line")
    parser.add_argument("--short", action="store_true", help="the quick steps, production alone, a few of the faults")
    parser.add_argument("step", nargs="*", help="just these steps")
    parser.error = lambda message: parser.exit(64, f"verify.py: {message}, see --help\n")
    args = parser.parse_args(given)
    for name in args.step:
        if name not in steps.STEPS:
            parser.error(f"there is no step {name}: {', '.join(steps.STEPS)}")
    return args


def perform(name, run):
    """One step: whether it passed, its seconds, its words."""
    start = time.monotonic()
    try:
        passed, words = True, steps.STEPS[name](run)
    except tf.Failed as failed:
        passed, words = False, str(failed)
    except ImportError as missing:
        passed, words = False, f"{missing}: make setup-deploy installs what is missing"
    except FileNotFoundError as missing:
        passed, words = False, f"{missing.filename} is missing: make setup-deploy says what to install"
    return passed, time.monotonic() - start, words


def main(given):
    args = arguments(given)
    chosen = args.step or [name for name in steps.STEPS if not (args.short and name in steps.LONG)]
    results = []
    with tempfile.TemporaryDirectory(prefix="weir-environments-") as folder:
        run = Run(args.short, folder)
        try:
            for number, name in enumerate(chosen, 1):
                print(f"[{number}/{len(chosen)}] {name}: {steps.STEPS[name].__doc__} …", flush=True)
                results.append((name, *perform(name, run)))
                if not results[-1][1]:
                    print(f"FAILED {name}:\n{results[-1][3]}", flush=True)
        finally:
            run.close()
    print(f"\n{'step':<10}{'':<8}{'seconds':>8}  result")
    for name, passed, taken, words in results:
        print(f"{name:<10}{'passed' if passed else 'FAILED':<8}{taken:>8.1f}  {words if passed else words.splitlines()[0][:120]}")
    failed = sum(not passed for _, passed, _, _ in results)
    print(f"{'together':<18}{sum(taken for _, _, taken, _ in results):>8.1f}  {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
