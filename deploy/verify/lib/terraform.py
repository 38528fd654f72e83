"""Runs Terraform in a copy of deploy/terraform, with a provider that needs no cloud."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

VERIFY = pathlib.Path(__file__).resolve().parents[1]
DEPLOY = VERIFY.parent
ROOT = DEPLOY.parent
TOOLS = ROOT / ".tools"
MODULES = sorted(p.name for p in (DEPLOY / "terraform/modules").iterdir() if (p / "main.tf").exists() or (p / "trail.tf").exists())
SECRETS = {"TF_VAR_store_password": "v" * 32, "TF_VAR_admin_token": "v" * 32}


class Failed(Exception):
    """A step failed; the message says what Terraform or a check said."""


def run(command, cwd, env=None, timeout=300, ok=(0,)):
    done = subprocess.run(command, cwd=cwd, timeout=timeout, text=True, capture_output=True, env={
        **os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", **SECRETS, **(env or {})})
    if done.returncode not in ok:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stderr[-6000:] or done.stdout[-6000:]}")
    return done


@contextlib.contextmanager
def copy():
    """deploy/terraform and what it refers to, in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="weir-verify-") as folder:
        base = pathlib.Path(folder)
        shutil.copytree(DEPLOY / "terraform", base / "deploy/terraform", symlinks=True,
                        ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "build"))
        shutil.copy(DEPLOY / "alarms.json", base / "deploy/alarms.json")
        shutil.copytree(DEPLOY / "dashboards", base / "deploy/dashboards")
        (base / "config").mkdir()
        shutil.copy(ROOT / "config/weir.schema.json", base / "config/weir.schema.json")
        build(base / "deploy/terraform")
        yield base / "deploy/terraform"


def build(terraform):
    """The zips of the functions, as the pipeline makes them."""
    (terraform / "build").mkdir(exist_ok=True)
    for module, name in (("config-source", "validator"), ("audit", "promises")):
        run([sys.executable, "-B", f"modules/{module}/{name}/build.py", f"build/{name}.zip"], terraform)


@contextlib.contextmanager
def stub(*providers):
    """The stub serving these providers' schemas; yields the environment that leads Terraform to it."""
    providers = providers or ("aws",)
    sources = {"aws": "registry.terraform.io/hashicorp/aws", "aviatrix": "registry.terraform.io/aviatrixsystems/aviatrix"}
    with tempfile.TemporaryDirectory(prefix="weir-stub-") as folder:
        server = subprocess.Popen(
            [sys.executable, "-B", VERIFY / "stub/server.py", folder,
             *(f"{sources[name]}={VERIFY / 'schema' / name}.json" for name in providers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            line = server.stdout.readline()
            if not line:
                raise Failed("the stub provider did not start: make setup-deploy installs what it needs")
            yield {"TF_REATTACH_PROVIDERS": line, "TF_CLI_CONFIG_FILE": os.devnull}
        finally:
            server.stdin.close()
            server.wait(10)


def init(folder, env):
    run(["terraform", "init", "-backend=false", "-input=false", "-no-color"], folder, env)


def validate(folder, env):
    """Terraform's own complaints, as JSON."""
    done = run(["terraform", "validate", "-json"], folder, env, ok=(0, 1))
    return [d for d in json.loads(done.stdout)["diagnostics"] if d["severity"] == "error"]


def plan_faults(folder, env):
    """What a plan complains of, as JSON."""
    done = run(["terraform", "plan", "-json", "-input=false"], folder, env, ok=(0, 1))
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [line["diagnostic"] for line in lines if line.get("type") == "diagnostic" and line["diagnostic"]["severity"] == "error"]


def plan_json(folder, env, *arguments):
    """A plan whose values are known: the stub applies first, then the plan is of what stands."""
    local = folder / "backend.tf"
    if local.exists():
        local.unlink()
    init(folder, env)
    run(["terraform", "apply", "-auto-approve", "-input=false", "-no-color", *arguments], folder, env)
    run(["terraform", "plan", "-input=false", "-no-color", "-out=plan", *arguments], folder, env)
    return json.loads(run(["terraform", "show", "-json", "plan"], folder, env).stdout)
