"""The rules that need no running weir: targets, parameters, verdicts, the README."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from kit import catalog, params, service, tools
from kit.target import Refused, Target

GOOD = ["http://127.0.0.1:8080", "http://127.255.255.254", "https://localhost/", "http://[::1]:80", "HTTP://LOCALHOST:1"]
BAD = [
    "http://192.0.2.1", "http://198.51.100.7:8080", "https://staging.example.com", "http://localhost.example.com",
    "http://127.0.0.1.example.com", "http://user@127.0.0.1", "http://127.0.0.1@example.com", "http://127.0.0.1\\@example.com",
    "http://127.0.0.1#@example.com", "http://127.0.0.1?x", "http://127.0.0.1/path", "http://0.0.0.0", "http://2130706433",
    "http://127.1", "http://127.0.0.256", "http://[::ffff:192.0.2.1]", "http://[::]", "ftp://127.0.0.1", "127.0.0.1", "",
    "http://127.0.0.1:", "http://127.0.0.1\n", "http://localhost%2eexample.com",
]


def verdicts(rows):
    return [r["ok"] for r in rows]


class Targets(unittest.TestCase):
    def test_loopback_is_taken(self):
        for url in GOOD:
            Target(url)

    def test_anything_else_is_refused(self):
        for url in BAD:
            with self.assertRaises(Refused, msg=url):
                Target(url)

    def test_a_host_counts_where_it_is_named_exactly(self):
        self.assertEqual(Target("https://staging.example.com/", "staging.example.com").port, 443)
        for other in ["example.com", "staging.example.com.", "*", "staging.example.comx", "https://staging.example.com"]:
            with self.assertRaises(Refused, msg=other):
                Target("https://staging.example.com", other)

    def test_the_error_says_what_to_do(self):
        with self.assertRaisesRegex(Refused, "ALLOW_TARGET=staging.example.com"):
            Target("https://staging.example.com")

    def test_k6_holds_to_the_same_rule(self):
        wanted = {url: True for url in GOOD} | {url: False for url in BAD}
        allowed = {"https://staging.example.com": True, "https://other.example.com": False}
        script = """
            import { host } from '%s/k6/lib/target.js';
            const ok = (url, allowed) => { try { host(url, allowed); return true; } catch (e) { return false; } };
            const all = (urls, allowed) => Object.fromEntries(urls.map((url) => [url, ok(url, allowed)]));
            export const options = { vus: 1, iterations: 1 };
            export default function () {}
            export const handleSummary = () => ({
              stdout: JSON.stringify([all(%s), all(%s, 'staging.example.com')]),
            });""" % (catalog.HERE, json.dumps(list(wanted)), json.dumps(list(allowed)))
        with tempfile.NamedTemporaryFile("w", suffix=".js") as file:
            file.write(script)
            file.flush()
            env = {k: v for k, v in os.environ.items() if k not in ("URL", "ALLOW_TARGET")}
            code, out, errors = tools.run(["k6", "run", "--quiet", "--no-usage-report", file.name], env, 60)
        self.assertEqual(code, 0, errors)
        self.assertEqual(json.loads(out), [wanted, allowed])

    def test_a_scenario_run_by_hand_refuses_too(self):
        for scenario in catalog.scenarios().values():
            if scenario.tool == "k6":
                text = scenario.path.read_text()
                self.assertIn("handleSummary = summary('%s', expects)" % scenario.name, text)
        env = dict(os.environ, URL="http://192.0.2.1", ALLOW_TARGET="192.0.2.2")
        for scenario in ("smoke", "mixed"):
            path = str(catalog.HERE / f"k6/{scenario}.js")
            code, _, errors = tools.run(["k6", "run", "--quiet", "--no-usage-report", path], env, 60)
            self.assertNotIn(code, (0, 99))
            self.assertIn("ALLOW_TARGET=192.0.2.1", errors)

    def test_the_runner_refuses_every_scenario(self):
        env = dict(os.environ, URL="http://192.0.2.1", SHORT="1")
        for name in catalog.scenarios():
            command = [sys.executable, str(catalog.HERE / "run.py"), name]
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, "ALLOW_TARGET=192.0.2.1" in done.stderr), (64, True), name)


class Parameters(unittest.TestCase):
    def test_a_number_is_bounded(self):
        for given, wanted in {"5": 5, "0.5": 0.5, "": 30, "86400": 86400}.items():
            with mock.patch.dict(os.environ, {"DURATION": given, "SHORT": ""}):
                self.assertEqual(params.number("DURATION", 30, 3), wanted)
        for given in ["0", "-1", "86401", "nan", "inf", "ten"]:
            with mock.patch.dict(os.environ, {"DURATION": given}), self.assertRaises(params.Wrong, msg=given):
                params.number("DURATION", 30, 3)
        with mock.patch.dict(os.environ, {"CONNECTIONS": "1.5"}), self.assertRaises(params.Wrong):
            params.count("CONNECTIONS", 30, 3)

    def test_short_runs_have_defaults_of_their_own(self):
        with mock.patch.dict(os.environ, {"SHORT": "1", "DURATION": ""}):
            self.assertEqual(params.number("DURATION", 30, 3), 3)

    def test_k6_refuses_what_cannot_be(self):
        for name, given in {"DURATION": "1e9", "PEOPLE": "1.5", "THINK": "soon", "P99_MS": "-1"}.items():
            env = {k: v for k, v in os.environ.items() if k != "URL"} | {name: given}
            path = str(catalog.HERE / "k6/steady.js")
            code, _, errors = tools.run(["k6", "run", "--quiet", "--no-usage-report", path], env, 60)
            self.assertNotIn(code, (0, 99), name)
            self.assertIn(f'{name}=\\"{given}\\": expected', errors)


class Verdicts(unittest.TestCase):
    FIRST = {"weir_table_bytes": 8 * 2**20, "process_resident_memory_bytes": 50 * 2**20}

    def test_on_weir(self):
        peak = {"process_resident_memory_bytes": 122 * 2**20}
        self.assertEqual(verdicts(service.judge_weir(True, 0, self.FIRST, peak)), [True, True, True])
        peak = {"process_resident_memory_bytes": 123 * 2**20}
        self.assertEqual(verdicts(service.judge_weir(False, 1, self.FIRST, peak)), [False, False, False])
        self.assertEqual(verdicts(service.judge_weir(True, 0, self.FIRST, {})), [True, True, False])

    def test_on_oha(self):
        def judge(statuses, errors=(), p99=0.01):
            summary = {"total": 2.0}
            result = {"summary": summary, "statusCodeDistribution": statuses, "errorDistribution": dict(errors),
                      "latencyPercentiles": {"p99": p99}}
            return verdicts(tools.judge_oha(result, "429", 50, 11))

        self.assertEqual(judge({"429": 100, "200": 1}), [True, True, True])
        self.assertEqual(judge({"429": 100}, {"aborted due to deadline": 3}), [True, True, True])
        self.assertEqual(judge({"429": 99, "200": 2}), [False, False, True])
        self.assertEqual(judge({"429": 100}, {"timeout": 2}, 0.011), [False, True, False])
        self.assertEqual(judge({}, p99=None), [True, False, False])

    def test_on_slowhttptest(self):
        step = {"Connected": "60", "Closed": "0"}
        wanted = {"cut": True, "held": 20}
        self.assertEqual(verdicts(tools.judge_slow(wanted, 60, [step], True, 20)), [True, True, True])
        self.assertEqual(verdicts(tools.judge_slow(wanted, 60, [step], False, 21)), [True, False, False])
        self.assertEqual(verdicts(tools.judge_slow(wanted, 60, [], True, None)), [False, False])


class Readme(unittest.TestCase):
    text = (catalog.HERE / "README.md").read_text()

    def test_it_has_every_scenario(self):
        named = re.findall(r"^\| `([a-z][a-z0-9-]+)` \|", self.text, re.M)
        self.assertEqual(sorted(named), sorted(catalog.scenarios()))

    def test_it_has_every_parameter_with_its_bounds(self):
        source = (catalog.HERE / "k6/lib/params.js").read_text()
        known = {n: (u, int(m)) for n, u, m in re.findall(r"^  ([A-Z0-9_]+): \{ unit: '([^']*)', most: (\d+) \}", source, re.M)}
        self.assertIn("PEOPLE", known)
        for name, bounds in params.NUMBERS.items():
            self.assertEqual(known.setdefault(name, bounds), bounds, name)
        rows = re.findall(r"^\| `([A-Z0-9_]+)` \| ([^|]*) \| ([\d,]+) \|", self.text, re.M)
        self.assertEqual({n: (u.strip(), int(m.replace(",", ""))) for n, u, m in rows}, known)


if __name__ == "__main__":
    unittest.main()
