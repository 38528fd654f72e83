"""Every scenario for a few seconds: against weir, where it must pass, and against what must fail it."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit import catalog, service

# At once: most of a run is waiting.
PARALLEL = 5
RUN_SECONDS = 120
# Proven in test_rules.py: no service at hand could spoil them.
ELSEWHERE = {
    "weir still runs", "requests that the service could not bear", "weir's memory grew, MiB", "attacking connections opened",
}
# What a weir that limits nothing must fail.
ATTACKS = {
    "single-source-flood", "distributed-flood", "low-and-slow", "login-guessing", "mixed", "oha-refuse",
    "oha-refuse-new-connections", "slow-headers", "slow-body", "slow-read",
}
OPEN, BROKEN = ["--spoil", "open"], ["--spoil", "broken"]
# No latency is good enough.
STRICT = {"P99_MS": "0.01", "PROBE_P99_MS": "0.01"}


def run(name, folder, args=(), env=None):
    """Exit code, the rows by what they say, and what was printed."""
    out = Path(folder, name + "".join(args))
    clean = {k: v for k, v in os.environ.items() if k not in ("URL", "ALLOW_TARGET")}
    env = clean | {"SHORT": "1", "OUT": str(out)} | (env or {})
    command = [sys.executable, str(catalog.HERE / "run.py"), *args, name]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=RUN_SECONDS)
    result = out / f"{name}.json"
    rows = {r["says"]: r["ok"] for r in json.loads(result.read_text())["rows"]} if result.exists() else {}
    return done.returncode, rows, f"{name} {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}", out


class Scenarios(unittest.TestCase):
    def test_each_passes_with_weir_and_each_threshold_can_fail(self):
        names = list(catalog.scenarios())
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PARALLEL) as pool:
            # Those that only wait go beside those that work.
            runs = {}
            for name in names:
                runs[name, "weir"] = pool.submit(run, name, folder)
                runs[name, "broken"] = pool.submit(run, name, folder, BROKEN, STRICT)
                if name in ATTACKS:
                    runs[name, "open"] = pool.submit(run, name, folder, OPEN)
            for name in names:
                with self.subTest(name):
                    self.judge({kind: runs[n, kind].result() for n, kind in runs if n == name}, name)

    def judge(self, runs, name):
        code, rows, said, out = runs["weir"]
        self.assertEqual(code, 0, said)
        self.assertTrue(rows and all(rows.values()), said)
        page = (out / f"{name}.md").read_text()
        self.assertTrue(page.startswith(f"# {name}: passed\n"), page)
        for says in rows:
            self.assertIn(f"| {says} |", page)
        for kind in runs.keys() - {"weir"}:
            self.assertEqual(runs[kind][0], 1, f"{kind} must fail it\n{runs[kind][2]}")
        spoilt = {says for kind in runs.keys() - {"weir"} for says, ok in runs[kind][1].items() if not ok}
        never = rows.keys() - spoilt - ELSEWHERE
        self.assertFalse(never, "nothing fails these:\n" + "\n".join(r[2] for r in runs.values()))


class Documented(unittest.TestCase):
    """The commands of the README, with a weir here in staging's place."""

    def test_its_commands_work(self):
        text = (catalog.HERE / "README.md").read_text().split("\n## replay")[0]
        lines = [line.split("  #")[0].strip() for block in re.findall(r"```sh\n(.*?)```", text, re.S)
                 for line in block.splitlines()]
        self.assertGreater(len(lines), 4)
        binary = os.environ["WEIR"]
        drop = ("URL", "ALLOW_TARGET", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
        clean = {k: v for k, v in os.environ.items() if k not in drop}
        with tempfile.TemporaryDirectory() as folder, service.Weir(binary, catalog.HERE / "conf/day.toml") as weir:
            env = clean | {"SHORT": "1", "OUT": folder, "WEIR": binary}
            for seed, line in enumerate(lines, 1):
                command = line.replace("https://staging.example.com", f"http://{weir.http}")
                # Every run has new clients: the guessers before them have used up their burst.
                env["SEED"] = str(seed)
                done = subprocess.run(["bash", "-c", command], env=env, cwd=catalog.HERE.parent, capture_output=True,
                                      text=True, timeout=RUN_SECONDS)
                wanted = 1 if "--spoil" in line else 0
                self.assertEqual(done.returncode, wanted, f"{command}\n{done.stdout}{done.stderr}")


class Faults(unittest.TestCase):
    def test_without_weir_it_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            code, _, said, _ = run("smoke", folder, env={"WEIR": "/nowhere/weir"})
            self.assertEqual((code, "make build" in said), (69, True), said)
            code, _, said, _ = run("smoke", folder, env={"WEIR": "/bin/false"})
            self.assertEqual((code, "was not ready" in said), (69, True), said)

    def test_what_is_not_there_is_named(self):
        code, _, said, _ = run("smoky", tempfile.gettempdir())
        self.assertEqual((code, "smoke" in said), (64, True), said)


if __name__ == "__main__":
    unittest.main()
