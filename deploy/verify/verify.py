#!/usr/bin/env python3
"""Verifies deploy/terraform without a cloud. Usage: verify.py [--short] [STEP...]

Steps: fmt, schema (validate and terraform test of each module on today's schema), plan (both environments, our rules,
AWS's own models of documents), functions (of AWS Lambda), faults (each seeded fault is caught), real (a real apply by
the genuine provider against moto). --short leaves out real, staging, and all but a few faults."""
import concurrent.futures
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / ".tools"
# What scripts/setup.sh deploy has installed, for this process and for the stub.
PACKAGES = [str(TOOLS / "py/deploy"), str(TOOLS / "py/moto_server")]
sys.path[0:0] = [str(HERE), str(HERE / "policy")]
sys.path.extend(PACKAGES)
os.environ["PYTHONPATH"] = os.pathsep.join([os.environ.get("PYTHONPATH", ""), *PACKAGES]).strip(os.pathsep)
sys.dont_write_bytecode = True

import rules  # noqa: E402
from lib import documents, faults, real  # noqa: E402
from lib import terraform as tf  # noqa: E402

ENVIRONMENTS = {"staging": False, "production": True}


def fmt(say, short):
    tf.run(["terraform", "fmt", "-check", "-diff", "-recursive", str(tf.DEPLOY)], tf.DEPLOY, {"TF_CLI_CONFIG_FILE": os.devnull})
    say("all files are formatted")


def schema(say, short):
    with tf.copy() as terraform, tf.stub("aws", "aviatrix") as env:
        def one(module):
            folder = terraform / "modules" / module
            tf.init(folder, env)
            wrong = tf.validate(folder, env)
            if wrong:
                raise tf.Failed(f"{module}: " + "; ".join(f"{d['summary']} {d.get('detail', '')}" for d in wrong))
            last = tf.run(["terraform", "test", "-no-color"], folder, env).stdout.strip().splitlines()[-1]
            passed = int(last.split()[1]) if last.startswith("Success!") else 0
            if not passed:
                raise tf.Failed(f"{module}: no test ran: {last}")
            return passed
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            ran = list(pool.map(one, tf.MODULES))
    say(f"{len(ran)} modules are valid on today's schema; {sum(ran)} tests passed")


def plan(say, short):
    with tf.copy() as terraform, tf.stub() as env:
        for name, production in ENVIRONMENTS.items():
            if short and not production:
                continue
            made = tf.plan_json(terraform / "environments" / name, env)
            changes = [r["address"] for r in made["resource_changes"] if r["mode"] == "managed" and r["change"]["actions"] != ["no-op"]]
            if changes:
                raise tf.Failed(f"{name}: a second plan wants to change {', '.join(changes)}")
            broken = rules.judge(made, production)
            if broken:
                raise tf.Failed("\n".join(f"{rule}: {address} {what}" for rule, address, what in broken))
            everything = rules.resources(made)
            held = documents.check(everything)
            say(f"{name}: {len(everything)} resources, no second change, {len(rules.RULES)} rules hold, {held} documents fit AWS's models")


def functions(say, short):
    tests = unittest.defaultTestLoader.discover(str(HERE / "tests"))
    result = unittest.TextTestRunner(stream=open(os.devnull, "w"), verbosity=0).run(tests)
    if not result.wasSuccessful() or not result.testsRun:
        raise tf.Failed("\n".join(text for _, text in result.failures + result.errors) or "no test ran")
    say(f"{result.testsRun} tests of the functions passed")


def seeded(say, short):
    chosen = faults.FAULTS[::11] if short else faults.FAULTS
    with tf.stub() as env:
        # Two processors, two at a time.
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            ways = list(pool.map(lambda fault: faults.caught(fault, env, rules.judge), chosen))
    missed = [fault[0] for fault, way in zip(chosen, ways) if way is None]
    if missed:
        raise tf.Failed("not caught: " + "; ".join(missed))
    by_rule = sum(way.startswith("rule") for way in ways)
    say(f"{len(chosen)} of {len(chosen)} seeded faults caught: {len(ways) - by_rule} by Terraform and the schema, {by_rule} by our rules")


def genuine(say, short):
    mirror = TOOLS / "terraform-mirror"
    if not mirror.exists():
        raise tf.Failed("the genuine provider is missing: make setup-deploy installs it")
    real.apply_and_destroy(mirror, say)


STEPS = {"fmt": fmt, "schema": schema, "plan": plan, "functions": functions, "faults": seeded, "real": genuine}


def main(arguments):
    short = "--short" in arguments
    named = [a for a in arguments if not a.startswith("-")]
    if set(arguments) & {"-h", "--help"} or set(named) - set(STEPS):
        print(__doc__)
        return 64
    steps = named or [name for name in STEPS if not (short and name == "real")]
    begun, failed = time.monotonic(), 0
    for number, name in enumerate(steps, 1):
        start = time.monotonic()
        def say(text):
            print(f"[{number}/{len(steps)}] {name:<9} {time.monotonic() - start:5.0f} s  {text}", flush=True)
        try:
            STEPS[name](say, short)
        except tf.Failed as error:
            failed += 1
            say("FAILED\n" + str(error))
    print(f"verify-deploy: {time.monotonic() - begun:.0f} s")
    print(f"{len(steps) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
