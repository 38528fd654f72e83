"""The config that Terraform writes for weir: whether it fits the infrastructure around it, and what weir says of it.

Usage: WEIR=path/to/weir python3 -m unittest discover deploy/terraform/environments/tests
Without WEIR the last release or debug build is asked; a weir built without the feature aws can't judge all of it."""
import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ENVIRONMENTS = pathlib.Path(__file__).resolve().parents[1]
COMMON = ENVIRONMENTS / "common"
MODULES = ENVIRONMENTS.parent / "modules"
ROOT = ENVIRONMENTS.parents[2]
VALUES = {
    "environment": "production",
    "balancer": ["10.20.0.0/20", "10.20.16.0/20", "10.20.32.0/20"],
    "origin": {"address": "backend.weir-prod.internal:9000", "capacity": "500/s", "health_path": "/healthz", "one_address": False},
    "waf": {"ipv4": ["weir-prod-ipv4-0", "weir-prod-ipv4-1"], "ipv6": ["weir-prod-ipv6-0"]},
    "queues": {name: f"https://sqs.eu-central-1.amazonaws.com/123456789012/weir-prod-{name}" for name in ("findings", "poison")},
    "store": {"url": "rediss://primary.weir-prod-store.example:6379", "user": "weir"},
    "limits": {
        "per-client": {"rate": "10/s", "burst": 100, "action": "refuse", "scope": "fleet", "path": None, "method": ["GET"]},
        "login": {"rate": "6/m", "burst": 5, "action": "observe", "scope": "task", "path": "/login", "method": ["POST"]}},
    "topic": "arn:aws:sns:eu-central-1:123456789012:weir-prod-alarms",
    "addresses": "whole", "aviatrix": None, "more": {"listen": "", "origin": "", "tables": ""}}
SAME_ORIGIN = {**VALUES["origin"], "address": "backend:9000", "one_address": True}
MORE = {"listen": 'max_body_size = "50MiB"', "origin": "max_in_flight = 256",
        "tables": '[ban]\nladder = ["5m", "1h"]\n\n[[alert]]\nname = "many-bans"\nsignal = "weir_bans"\nabove = 1000\n'}


def rendered(**changes):
    """The template as Terraform renders it with VALUES and these changes."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(COMMON / "weir.toml.tftpl", folder)
        pathlib.Path(folder, "values.json").write_text(json.dumps({**VALUES, **changes}))
        done = subprocess.run(
            ["terraform", "console"], cwd=folder, text=True, capture_output=True, timeout=60,
            input='base64encode(templatefile("weir.toml.tftpl", jsondecode(file("values.json"))))\n',
            env={**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull})
        if done.returncode:
            raise AssertionError(done.stderr)
        return base64.b64decode(json.loads(done.stdout)).decode()


def weir():
    """The binary to ask, or None."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    named = [os.environ["WEIR"]] if os.environ.get("WEIR") else [target / "release/weir", target / "debug/weir"]
    return next((str(path) for path in named if os.access(path, os.X_OK)), None)


def seconds(text, key):
    return int(re.search(rf'^{key} = "(\d+)s"', text, re.M).group(1))


def number(path, key):
    return int(re.search(rf"^\s*{key}\s*= (\d+)", (MODULES / path).read_text(), re.M).group(1))


@unittest.skipUnless(shutil.which("terraform"), "terraform is missing")
class Fits(unittest.TestCase):
    """What stands in the config and what stands in the modules must agree."""

    @classmethod
    def setUpClass(cls):
        cls.text = rendered()

    def test_load_balancer_closes_idle_connections_first(self):
        self.assertGreater(seconds(self.text, "keepalive_timeout"), number("load-balancer/main.tf", "idle_timeout"))

    def test_drain_ends_before_ecs_kills_and_the_balancer_lets_go(self):
        drain = seconds(self.text, "drain_timeout")
        self.assertGreater(number("service/tasks.tf", "stopTimeout"), drain)
        self.assertGreaterEqual(number("load-balancer/main.tf", "deregistration_delay"), drain)

    def test_every_secret_named_is_put_into_the_environment(self):
        named = set(re.findall(r"env:(\w+)", (COMMON / "weir.toml.tftpl").read_text()))
        given = set(re.findall(r"^\s*(WEIR_\w+)\s*= ", (COMMON / "main.tf").read_text(), re.M))
        self.assertEqual(named, given)

    def test_alarms_and_rollouts_look_at_the_metrics_that_weir_sends(self):
        table = self.text[self.text.index("[cloudwatch]"):]
        sent = {key: re.search(rf'^{key} = "(.*)"', table, re.M).group(1) for key in ("namespace", "service", "environment")}
        self.assertEqual(sent, {"namespace": "weir", "service": "weir", "environment": "production"})
        rollout = (COMMON / "rollout.tf").read_text()
        self.assertIn('namespace = "weir", dimensions = { Service = "weir", Environment = var.environment }', rollout)

    def test_no_secret_is_in_the_config(self):
        for line in self.text.splitlines():
            if re.match(r"\w*(secret|password|token|key)\w* = ", line):
                self.assertRegex(line, r'_file = "env:WEIR_')

    def test_environments_differ_in_their_tfvars_alone(self):
        shared = {path.name for path in COMMON.iterdir()}
        for name in ("staging", "production"):
            own = {path.name for path in (ENVIRONMENTS / name).iterdir() if path.is_file() and not path.is_symlink()}
            self.assertEqual({one for one in own if not one.startswith(".")}, {"terraform.tfvars", "backend.tf"})
            linked = {path.name for path in (ENVIRONMENTS / name).iterdir() if path.is_symlink()}
            self.assertEqual(linked, shared)
            self.assertTrue(all((ENVIRONMENTS / name / one).resolve() == COMMON / one for one in linked))


@unittest.skipUnless(shutil.which("terraform") and weir(), "terraform or weir is missing: make build, or WEIR=path/to/weir")
class Accepted(unittest.TestCase):
    """weir itself finds no fault."""

    def check(self, text):
        """What `weir check` says, with files in place of what only a task has."""
        with tempfile.TemporaryDirectory() as folder:
            secret = pathlib.Path(folder, "secret")
            secret.write_text("0123456789abcdef" * 4)
            secret.chmod(0o600)
            text = re.sub(r"env:WEIR_\w+", str(secret), text)
            config = pathlib.Path(folder, "weir.toml")
            config.write_text(text)
            done = subprocess.run([weir(), "check", str(config)], text=True, capture_output=True, timeout=60)
            if "built without AWS" in done.stderr + done.stdout:
                self.skipTest("this weir was built without the feature aws")
            return done.returncode, done.stdout + done.stderr

    def accepted(self, **changes):
        code, said = self.check(rendered(**changes))
        self.assertEqual(code, 0, said)

    def test_as_it_stands(self):
        self.accepted()

    def test_with_all_that_is_optional(self):
        self.accepted(addresses="hashed", aviatrix={"sources": ["192.0.2.0/28"], "port": 5140, "action": "suspect"},
                      origin=SAME_ORIGIN, more=MORE)

    def test_truncated_addresses_and_no_limit(self):
        self.accepted(addresses="truncated", limits={})

    def test_a_fault_is_found(self):
        code, said = self.check(rendered(more={**MORE, "tables": "[nonsense]\n"}))
        self.assertEqual(code, 78, said)
        self.assertIn("nonsense", said)


if __name__ == "__main__":
    unittest.main()
