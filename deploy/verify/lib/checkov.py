"""checkov over the plans, the StackSets, the image and the workflows: nothing is skipped that exceptions.toml does not explain."""
import json
import pathlib
import shutil
import tempfile

from policy.registry import exceptions

from . import terraform as tf
from .tools import call

FRAMEWORKS = ("terraform_plan", "cloudformation", "dockerfile", "github_actions")


def stage(folder, plans):
    """Just what checkov shall read, in a folder of its own."""
    for name, made in plans.items():
        (folder / "plans" / name).mkdir(parents=True)
        (folder / "plans" / name / "plan.json").write_text(json.dumps(made))
    shutil.copytree(tf.DEPLOY / "stacksets", folder / "stacksets", ignore=lambda _, names: [n for n in names if not n.endswith(".yaml")])
    shutil.copy(tf.DEPLOY / "image/Dockerfile", folder / "Dockerfile")
    shutil.copytree(tf.ROOT / ".github/workflows", folder / ".github/workflows")


def where(framework, found):
    """Where a check failed: plan: and the resource's address, or the kind of file, its name and the resource."""
    if framework == "terraform_plan":
        return f"plan:{found['resource']}"
    return f"{framework}:{pathlib.Path(found['file_path']).name}:{found['resource']}"


def run(plans):
    """(how many checks passed, {(check, where): checkov's name of it})."""
    with tempfile.TemporaryDirectory(prefix="weir-checkov-") as folder:
        stage(pathlib.Path(folder), plans)
        # --skip-download: nothing is fetched, and nothing told.
        done = call("checkov", "checkov", "-d", folder, "--framework", *FRAMEWORKS, "--skip-download", "--quiet", "--compact", "-o", "json",
                    cwd=folder, timeout=500, env={"LOG_LEVEL": "ERROR", "HOME": folder, "BC_SKIP_MAPPING": "TRUE", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false"})
    try:
        reports = json.loads(done.stdout)
    except ValueError:
        raise tf.Failed(f"checkov did not report: {(done.stderr or done.stdout)[-2000:]}") from None
    passed, failed = 0, {}
    seen = {one["check_type"]: one for one in (reports if isinstance(reports, list) else [reports])}
    if set(seen) != set(FRAMEWORKS):
        raise tf.Failed(f"checkov looked at {', '.join(seen)} and not at {', '.join(set(FRAMEWORKS) - set(seen))}")
    for framework, one in seen.items():
        if one["summary"]["parsing_errors"] or one["summary"]["skipped"]:
            raise tf.Failed(f"checkov: {framework}: {one['summary']}: a file was not understood, or a check skipped in place")
        passed += one["summary"]["passed"]
        for found in one["results"]["failed_checks"]:
            failed[found["check_id"], where(framework, found)] = found["check_name"]
    return passed, failed


def check(plans):
    """What was checked, in words."""
    passed, failed = run(plans)
    allowed, used, wrong = exceptions("checkov"), set(), []
    for (code, place), name in sorted(failed.items()):
        covering = [one for one in allowed if one.covers(code, place)]
        used.update(covering)
        if not covering:
            wrong.append(f"{code} {place}: {name}")
    wrong += [f"exceptions.toml: {one.check} at {one.where} no longer applies: take it out" for one in allowed if one not in used]
    if wrong:
        raise tf.Failed("\n".join(wrong))
    return f"{passed} checks of checkov passed; {len(failed)} places excepted by {len(allowed)} reasons, none unused"
