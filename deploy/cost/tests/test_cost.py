"""The arithmetic by hand, faults that are named, and that docs/cost.md has what the program makes."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import assume  # noqa: E402
import model  # noqa: E402

PRICES = json.loads((HERE / "prices.json").read_text(encoding="utf-8"))
SIZES = json.loads((HERE / "sizes.json").read_text(encoding="utf-8"))


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-B", str(HERE / "cost.py"), *arguments], capture_output=True, text=True, timeout=30)


class Arithmetic(unittest.TestCase):
    """Against figures that were worked out apart from the program."""

    def test_tasks(self):
        # 3 tasks, 1 vCPU, 2 GB: 3 × (0.03238 + 0.00712) × 730 = 86.505
        self.assertAlmostEqual(model.month(SIZES["medium"], PRICES)["Fargate"].dollars, 86.505, places=3)

    def test_web_acl_by_request(self):
        # 1,000/s for 730 h are 2,628 M requests: 5 + 9 + 2,628 × 0.6
        self.assertAlmostEqual(model.month(SIZES["medium"], PRICES)["AWS WAF"].dollars, 1590.8, places=2)

    def test_load_balancer_takes_the_dearest_dimension(self):
        p = {name: each["dollars"] for name, each in PRICES["prices"].items()}
        # Each request a connection: 50,000 / 25 = 2,000 LCU for an hour.
        line = model.balancer(50_000, p, 1, 1, 480, base=False)
        self.assertAlmostEqual(line.dollars, 16.0)
        self.assertIn("new connections", line.how)
        # 1,000 requests to a connection: bytes decide; 50,000 × 3,600 × 1,380 bytes = 248.4 GB.
        line = model.balancer(50_000, p, 1, 1_000, 480, base=False)
        self.assertAlmostEqual(line.dollars, 248.4 * 0.008)
        self.assertIn("GB", line.how)

    def test_data_out_by_steps(self):
        steps = [[10, 1.0], [30, 0.5], [None, 0.1]]
        self.assertAlmostEqual(model.data_out(5, steps).dollars, 5)
        self.assertAlmostEqual(model.data_out(40, steps).dollars, 10 + 10 + 1)

    def test_a_flood_costs_much_the_same_wherever_it_ends(self):
        weir, waf = (sum(line.dollars for line in model.attack(share, PRICES).values()) for share in (0, 0.95))
        self.assertLess(abs(waf - weir), weir / 10)

    def test_the_web_acls_log_would_be_the_dearest_part(self):
        flood = model.attack(0.95, PRICES)
        every = flood["AWS WAF's log"].dollars / assume.WAF_BY_GROUPS
        self.assertGreater(every, max(line.dollars for line in flood.values()))
        self.assertIn(f"{every:,.0f} dollars", flood["AWS WAF's log"].how)


class Sizes(unittest.TestCase):
    """The sizes are large enough, and wrong ones are refused."""

    def test_each_bears_its_peak_and_the_attack_with_one_task_gone(self):
        for name, size in SIZES.items():
            self.assertGreaterEqual(model.bears(size), assume.ATTACK_RPS, name)

    def test_a_fault_names_size_key_and_what_to_write(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"ours": {"rps": 0, "tasks": "3", "vcpu": 1, "memory_gb": 2, "node": "cache.none"}}, file)
            file.flush()
            told = run("--sizes", file.name)
        self.assertEqual(told.returncode, 65)
        for words in ("ours.rps = 0: write a number from 1", "ours.tasks = '3'", "ours.node = 'cache.none': write one of cache."):
            self.assertIn(words, told.stderr)

    def test_a_size_of_ones_own(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"ours": {"rps": 300, "tasks": 3, "vcpu": 1, "memory_gb": 2, "node": "cache.t4g.small"}}, file)
            file.flush()
            told = run("--sizes", file.name)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("The arithmetic of ours", told.stdout)

    def test_wrong_usage(self):
        self.assertEqual(run("--sise").returncode, 64)


class Document(unittest.TestCase):
    """What stands in docs/cost.md."""

    def test_it_is_what_the_program_makes(self):
        told = run("--check")
        self.assertEqual(told.returncode, 0, told.stderr)

    def test_every_price_says_where_it_is_from(self):
        for name, each in PRICES["prices"].items():
            self.assertEqual(set(each), {"dollars", "unit", "offer", "seen"}, name)
            self.assertGreater(each["dollars"], 0, name)

    def test_it_agrees_with_what_pull_requests_are_told(self):
        """deploy/bin/prices.json has some of the same prices, by the month."""
        others = json.loads((HERE.parent / "bin/prices.json").read_text(encoding="utf-8"))
        p = {name: each["dollars"] for name, each in PRICES["prices"].items()}
        mine = {"aws_lb": p["alb_hour"] * 730, "aws_wafv2_web_acl": p["waf_acl"], "aws_nat_gateway": p["nat_hour"] * 730,
                "aws_vpc_endpoint": p["endpoint_hour"] * 730, "aws_kms_key": p["kms_key"], "aws_cloudwatch_dashboard": p["dashboard"]}
        for kind, price in mine.items():
            theirs = others.get(kind)
            if theirs is not None:
                self.assertAlmostEqual(theirs["each"] if isinstance(theirs, dict) else theirs, price, delta=0.01, msg=kind)


if __name__ == "__main__":
    unittest.main()
