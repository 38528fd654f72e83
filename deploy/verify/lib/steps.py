"""The steps of verify.py. Each takes the run (what is chosen, the environments) and returns what it found out, in words, or
raises Failed."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

from faults import FAULTS
from policy import rules

import readme

from . import checkov as scanner
from . import documents, lint, real, standing
from . import faults as seeded
from . import terraform as tf

TWO = 2  # Processors: more at a time only wait for each other.


def pairwise(work, items):
    with concurrent.futures.ThreadPoolExecutor(TWO) as pool:
        return list(pool.map(work, items))


def formatted(run):
    """Terraform's files are formatted"""
    tf.run(["terraform", "fmt", "-check", "-diff", "-recursive", str(tf.DEPLOY)], tf.DEPLOY, {"TF_CLI_CONFIG_FILE": os.devnull})
    return "all files are formatted"


def linted(run):
    """scripts, image, workflows and StackSets: shellcheck, ruff, hadolint, actionlint, zizmor, cfn-lint, check-jsonschema"""
    pairwise(lambda name: lint.check([name]), lint.LINTERS)
    return f"{', '.join(lint.LINTERS)} find nothing"


def tables(run):
    """the tables in the modules' READMEs are those of their variables and outputs"""
    wrong = readme.stale()
    if wrong:
        raise tf.Failed(f"stale or missing: {', '.join(wrong)}; deploy/verify/readme.py writes them")
    return f"the READMEs of {len(tf.MODULES)} modules say what their variables say"


def tested(folder, env):
    """Validates a folder and runs its tests: how many passed."""
    tf.init(folder, env)
    wrong = tf.validate(folder, env)
    if wrong:
        raise tf.Failed(f"{folder.name}: " + "; ".join(f"{d['summary']} {d.get('detail', '')}" for d in wrong))
    last = tf.run(["terraform", "test", "-no-color"], folder, env).stdout.strip().splitlines()[-1]
    passed = re.match(r"Success! (\d+) passed", last)
    if not passed or passed[1] == "0":
        raise tf.Failed(f"{folder.name}: no test ran: {last}")
    return int(passed[1])


def schema(run):
    """every module is valid on today's schema of the provider, and its tests pass"""
    with tf.copy() as terraform, tf.stub("aws", "aviatrix") as env:
        ran = pairwise(lambda module: tested(terraform / "modules" / module, env), tf.MODULES)
    return f"{len(ran)} modules are valid on today's schema; {sum(ran)} tests passed"


def variables(run):
    """both environments refuse what is wrong in their one file, and say what to write"""
    untested = sorted(checked_variables() - refused_variables())
    if untested:
        raise tf.Failed(f"environments/common/tests: no test refuses a bad {', '.join(untested)}")
    names = ["production"] if run.short else list(standing.ENVIRONMENTS)
    with tf.copy() as terraform, tf.stub() as env:
        for name in names:
            (terraform / "environments" / name / "backend.tf").unlink(missing_ok=True)
        ran = pairwise(lambda name: tested(terraform / "environments" / name, env), names)
    return f"{', '.join(names)}: {sum(ran)} tests passed, {len(checked_variables())} variables refuse what is wrong"


def checked_variables():
    """Variables of the environments that have a validation."""
    text = "\n".join(p.read_text() for p in (tf.DEPLOY / "terraform/environments/common").glob("variables*.tf"))
    return {name for name, body in re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.M | re.S) if "validation {" in body}


def refused_variables():
    texts = [p.read_text() for p in (tf.DEPLOY / "terraform/environments/common/tests").glob("*.tftest.hcl")]
    return {name for text in texts for block in re.findall(r"expect_failures\s*=\s*\[(.*?)\]", text, re.S) for name in re.findall(r"var\.(\w+)", block)}


def plan(run):
    """the environments plan without a second change, keep our rules, and their documents fit AWS's models"""
    said, used = [], set()
    for name, production in run.environments():
        made = run.standing.plan(name)
        changes = standing.changes(made)
        if changes:
            raise tf.Failed(f"{name}: a plan of what stands wants to change " + ", ".join(f"{a} ({what})" for a, what in changes))
        broken = rules.judge(made, production, used)
        if broken:
            raise tf.Failed("\n".join(f"{name}: {rule}: {address} {what}" for rule, address, what in broken))
        said.append(f"{name}: no second change, {documents.check(made)} documents fit AWS's models")
    unused = [] if run.short else rules.unused(used)
    if unused:
        raise tf.Failed("\n".join(f"exceptions.toml: {one.check} at {one.where} no longer applies: take it out" for one in unused))
    wrong = list(documents.unbound_actions())
    if wrong:
        raise tf.Failed("\n".join(f"{place}: {what}" for place, what in wrong))
    return f"{len(rules.RULES)} rules hold; " + "; ".join(said)


def suite(folder):
    """Runs the tests of a folder in a process of its own: how many passed."""
    top = folder.parent if (folder / "__init__.py").exists() else folder
    path = os.pathsep.join([str(tf.VERIFY), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-B", "-m", "unittest", "discover", "-s", folder, "-t", top], text=True, capture_output=True,
                          timeout=500, cwd=tf.ROOT, env={**os.environ, "PYTHONPATH": path})
    ran = re.search(r"^Ran (\d+) tests?", done.stderr, re.M)
    if done.returncode or not ran or ran[1] == "0":
        raise tf.Failed(f"{folder.relative_to(tf.ROOT)}:\n{done.stderr[-4000:]}")
    return int(ran[1])


def suites():
    """Every folder under deploy/ that holds tests in Python; a package in such a folder belongs to it."""
    found = {p.parent for p in tf.DEPLOY.rglob("test_*.py")}
    return sorted(folder for folder in found if folder.parent not in found)


def unit(run):
    """tests in Python: functions of AWS Lambda, documents, rules, the image's list of parts (and, in full, commands)"""
    # The commands' own tests take half a minute.
    chosen = [folder for folder in suites() if not (run.short and folder.parent.name in ("bin", "drill"))]
    ran = pairwise(suite, chosen)
    return f"{sum(ran)} tests passed in " + ", ".join(str(folder.relative_to(tf.DEPLOY)) for folder in chosen)


def faults(run):
    """faults that are put into a copy are caught by who should"""
    chosen = [fault for fault in FAULTS if fault.short or not run.short]
    wrong = seeded.run(chosen, run.standing)
    if wrong:
        raise tf.Failed("\n".join(wrong))
    kinds = {"Terraform and the schema": {seeded.TERRAFORM}, "models of documents": {seeded.DOCUMENTS}, "our rules": set(rules.RULES), "linters": set(lint.LINTERS)}
    return f"{len(chosen)} of {len(chosen)} caught: " + ", ".join(f"{sum(f.by in by for f in chosen)} by {who}" for who, by in kinds.items())


def checkov(run):
    """checkov finds nothing that policy/exceptions.toml does not explain"""
    return scanner.check({name: run.standing.plan(name) for name, _ in run.environments()})


def image(run):
    """the image, out of a built binary, keeps its promises (podman and buildah)"""
    missing = [command for command in ("podman", "buildah") if not shutil.which(command)]
    binary = tf.pathlib.Path(os.environ.get("CARGO_TARGET_DIR", tf.ROOT / "target")) / "release/weir"
    if missing or not binary.exists():
        return f"left out: {' and '.join(missing) or binary} {'are' if len(missing) == 2 else 'is'} missing"
    tag = "weir:verify"
    for command in (["image/build.sh", "--tag", tag, "--binary", str(binary)], ["image/test.sh", tag]):
        done = subprocess.run([tf.DEPLOY / command[0], *command[1:]], cwd=tf.ROOT, text=True, capture_output=True, timeout=300,
                              env={**os.environ, "BUILDER": "buildah"})
        if done.returncode:
            raise tf.Failed((done.stdout + done.stderr)[-4000:])
    return done.stdout.strip().splitlines()[-1]


def genuine(run):
    """the genuine provider, an old one, applies the modules to moto, and boto3 asks it"""
    mirror = tf.TOOLS / "terraform-mirror"
    if not mirror.exists():
        raise tf.Failed("the genuine provider is missing: make setup-deploy installs it")
    said = []

    def say(text):
        said.append(text)
        print(f"      {text}", flush=True)
    real.apply_and_destroy(mirror, say)
    return said[-1].splitlines()[0] if said else "applied and destroyed"


STEPS = {"fmt": formatted, "lint": linted, "readme": tables, "schema": schema, "variables": variables, "plan": plan, "unit": unit,
         "faults": faults, "checkov": checkov, "image": image, "real": genuine}
LONG = ("checkov", "image", "real")
