"""Statistics, verdicts, plots and configs."""

import contextlib
import io
import tempfile
import types
import unittest
import xml.etree.ElementTree as xml
from unittest import mock

from bench import __main__ as command
from bench import measure, peers, plot, process, report, stats, targets
from bench.rows import ROWS
from bench.stats import Samples, Spread


class Statistics(unittest.TestCase):
    def test_percentiles(self):
        hundred = list(range(1, 101))
        self.assertEqual([stats.percentile(hundred, p) for p in (50, 99, 99.9, 100)], [50, 99, 100, 100])
        self.assertEqual(stats.percentile([7], 50), 7)
        with self.assertRaises(ValueError):
            stats.percentile([], 50)

    def test_a_spread_says_its_ends(self):
        self.assertEqual(str(Spread.of([3, 1, 20.04])), "3.00 (1.00 to 20.0)")
        self.assertEqual(str(Spread.of([1234.5])), "1,234")

    def test_numbers(self):
        shown = [stats.number(n) for n in (0, 0.0312, 1.5, 15.04, 150.4, 83000, -0.25)]
        self.assertEqual(shown, ["0", "0.031", "1.50", "15.0", "150", "83,000", "-0.250"])

    def test_samples_that_are_not_there(self):
        samples = Samples()
        self.assertIsNone(samples.spread("cpu_s_per_M", "pass", "weir"))
        samples.add("cpu_s_per_M", "pass", "weir", 0, 2.0)
        samples.add("cpu_s_per_M", "pass", "weir", 1, 4.0)
        self.assertEqual(samples.median("cpu_s_per_M", "pass", "weir"), 3)
        self.assertEqual(samples.peers("cpu_s_per_M", "pass"), ["weir"])


class Verdicts(unittest.TestCase):
    def table(self, *rows):
        samples = Samples()
        for row in rows:
            samples.add(*row)
        return targets.table(samples)

    def refusal(self, weir):
        return self.table(("cpu_s_per_M", "refuse", "nginx", 0, 10.0), ("cpu_s_per_M", "refuse", "weir", 0, weir))

    def test_ratios(self):
        self.assertIn("| 0.600 | ≤ 0.75 | ≤ 0.62 | stretch met |", self.refusal(6.0))
        self.assertIn("| 0.700 | ≤ 0.75 | ≤ 0.62 | met |", self.refusal(7.0))
        self.assertIn("| 0.800 | ≤ 0.75 | ≤ 0.62 | **missed** |", self.refusal(8.0))

    def test_differences(self):
        text = self.table(
            ("user_instructions", "limits", "weir", 0, 66000), ("user_instructions", "pass", "bare", 0, 65000)
        )
        self.assertIn("| 1,000 | ≤ 2000 | ≤ 1200 | stretch met |", text)

    def test_what_was_not_measured_is_left_out(self):
        self.assertEqual(self.table(), "")
        self.assertEqual(self.table(("cpu_s_per_M", "refuse", "weir", 0, 1.0)), "")

    def test_a_flood_that_was_too_small_is_not_judged(self):
        ratio = ("p99_ratio", "flood", "weir", 0, 1.5)
        self.assertIn("| met |", self.table(ratio, ("flood_times", "flood", "weir", 0, 2.9)))
        self.assertIn(
            "not judged: the load only reached 1.20×", self.table(ratio, ("flood_times", "flood", "weir", 0, 1.2))
        )

    def test_a_fixed_table_is_not_judged_by_fewer_clients(self):
        memory = ("bytes_per_client", "clients", "weir", 0, 17.0)
        self.assertIn("| **missed** |", self.table(memory, ("clients", "clients", "weir", 0, 1_000_001)))
        self.assertIn("only 500,000 clients came", self.table(memory, ("clients", "clients", "weir", 0, 500_000)))

    def test_the_floor_is_said_where_it_was_measured(self):
        samples = Samples()
        samples.add("cpu_s_per_M", "refuse", "nginx", 0, 8.0)
        self.assertEqual(targets.floor(samples), "")
        samples.add("cpu_s_per_M", "refuse", "floor", 0, 6.0)
        self.assertIn("cost 0.750 of nginx's", targets.floor(samples))

    def test_targets_name_rows_and_columns_that_exist(self):
        for target in targets.TARGETS:
            for measured, row, peer in filter(None, (target.figure, target.other)):
                self.assertIn(measured, report.COLUMNS[ROWS[row].kind])
                self.assertIn(peer, {*peers.PEERS, "direct"})


class Pages(unittest.TestCase):
    def test_plots_are_xml_with_a_bar_for_each(self):
        figures = [("a < b & c", Spread.of([1, 2, 3])), ("weir", Spread.of([0])), ("less", Spread.of([-2, 1]))]
        root = xml.fromstring(plot.bars("Passed & <refused>", "ms", figures))
        name = "{http://www.w3.org/2000/svg}"
        self.assertEqual(len(root.findall(f"{name}rect")), 3)
        self.assertEqual(len(root.findall(f"{name}path")), 2)
        self.assertTrue(all(float(bar.get("width")) >= 0 for bar in root.findall(f"{name}rect")))
        self.assertIn("a < b & c", [text.text for text in root.findall(f"{name}text")])
        xml.fromstring(plot.bars("none", "ms", []))

    def test_a_row_shows_only_what_was_measured(self):
        samples = Samples()
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(report.section(samples, ROWS["pass"], folder), "")
            samples.add("cpu_s_per_M", "pass", "weir", 0, 12.0)
            samples.add("cpu_s_per_M", "pass", "nginx", 0, 6.0)
            samples.add("user_instructions", "pass", "weir", 0, 70000)
            text = report.section(samples, ROWS["pass"], folder)
        self.assertIn("| nginx | 6.00 | – |\n| weir | 12.0 | 70,000 |\n", text)
        self.assertNotIn("kernel", text)


class Plan(unittest.TestCase):
    def plan(self, *arguments):
        with mock.patch("sys.argv", ["bench", "--weir", "weir", *arguments]), contextlib.redirect_stderr(io.StringIO()):
            options = command.arguments()
        return options, command.plan(options, [ROWS[key] for key in options.rows], measure.callgrind)

    def test_proxies_take_turns(self):
        _, jobs = self.plan("--rows", "refuse", "--proxies", "weir,nginx", "--runs", "2")
        turns = [(how.__name__, peer, run) for how, _, peer, run, _ in jobs]
        self.assertEqual(turns[:4], [("cost", peer, run) for run in (0, 1) for peer in ("nginx", "weir")])
        self.assertEqual(turns[4:], [("callgrind", "nginx", 0), ("callgrind", "weir", 0)])

    def test_only_a_whole_run_replaces_the_committed_report(self):
        self.assertIn("docs/reports", self.plan()[0].report)
        for part in (["--quick"], ["--rows", "pass"], ["--proxies", "weir"]):
            self.assertNotIn("docs/reports", self.plan(*part)[0].report)

    def test_who_has_no_limits_is_not_asked_to_refuse(self):
        self.assertNotIn("bare", ROWS["refuse"].peers(peers.PEERS))
        self.assertIn("bare", ROWS["latency"].peers(peers.PEERS))

    def test_unknown_names_are_refused(self):
        for wrong in (["--rows", "no"], ["--proxies", "apache"]):
            with self.assertRaises(SystemExit):
                self.plan(*wrong)


class Configs(unittest.TestCase):
    def test_every_config_is_filled_in(self):
        for peer in peers.PEERS.values():
            for policy in peers.POLICIES:
                for transport in peers.TRANSPORTS:
                    text = peer.config(policy, transport, "DIR") or ""
                    self.assertNotRegex(text, r"@[A-Z0-9]+@", f"{peer.name} {policy} {transport}")

    def test_a_block_keeps_its_indent_and_an_empty_one_goes(self):
        self.assertEqual(peers.fill("a\n  @B@\n  @C@\nd @E@;\n", {"B": "1\n2", "C": "", "E": ""}), "a\n  1\n  2\nd;\n")

    def test_roles_have_other_cores_than_the_proxy_where_there_are_some(self):
        for own, roles in [({0}, [0, 0, 0, 0]), ({0, 1}, [0, 1, 1, 1]), ({2, 4, 6, 8}, [2, 4, 6, 8])]:
            with mock.patch("os.sched_getaffinity", return_value=own):
                self.assertEqual(list(process.cores().values()), roles)

    def test_configs_are_shown_in_full_and_failures_without_folders(self):
        bench = types.SimpleNamespace(configs={"/tmp/x/weir-none.toml": "[listen]\n"})
        self.assertIn("<summary>weir-none.toml</summary>\n\n```\n[listen]\n```", report.configs(bench))
        self.assertEqual(report.one_line("no /tmp/x/y.conf\n here"), "no y.conf here")


if __name__ == "__main__":
    unittest.main()
