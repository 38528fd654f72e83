"""weir's dashboard for CloudWatch, as Terraform fills it in; and the check itself, which must be able to fail."""
import copy
import json
import pathlib
import re
import unittest

import dashboards

ROOT = pathlib.Path(__file__).resolve().parents[5]
VALUES = {"region": "eu-central-1", "namespace": "weir", "service": "shop", "environment": "production"}
METRIC = {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
    "title": "t", "region": "eu-central-1", "metrics": [["weir", "Forwarded", "Service", "shop", {"id": "m0"}], [{"expression": "m0 / PERIOD(m0)", "id": "e0"}]]}}


def filled():
    text = (ROOT / "deploy/dashboards/cloudwatch.json").read_text()
    return json.loads(re.sub(r"\$\{(\w+)\}", lambda found: VALUES[found[1]], text))


def table():
    """The metrics that weir sends, and what dimensions they have beside Service and Environment."""
    text = (ROOT / "docs/cloudwatch.md").read_text().split("<!-- metrics -->")[1].split("<!-- end of metrics -->")[0]
    return {name: {"Service", "Environment", *filter(None, more.split(", "))}
            for name, more in re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\|[^|]*\| ([^|]*?) ?\|", text, re.M)}


class Dashboard(unittest.TestCase):
    def test_fits(self):
        self.assertEqual(list(dashboards.faults(filled())), [])

    def test_shows_what_weir_sends(self):
        known, shown = table(), 0
        self.assertGreater(len(known), 30)
        for widget in filled()["widgets"]:
            for row in widget["properties"]["metrics"]:
                words = [part for part in row if isinstance(part, str)]
                if words:
                    shown += 1
                    self.assertEqual(words[0], "weir")
                    self.assertEqual(set(words[2::2]), known[words[1]], words)
        self.assertGreater(shown, 30)


class Check(unittest.TestCase):
    def fault(self, change):
        body = {"widgets": [copy.deepcopy(METRIC), {**copy.deepcopy(METRIC), "x": 12}]}
        self.assertEqual(list(dashboards.faults(body)), [])
        change(body["widgets"][0], body["widgets"][0]["properties"])
        return "\n".join(dashboards.faults(body))

    def test_each_fault_is_found(self):
        for change, why in (
                (lambda w, p: w.update(type="chart"), "'chart' is not one of"),
                (lambda w, p: w.update(width=25, x=0), "maximum of 24"),
                (lambda w, p: w.update(x=13), "lies over|wider than"),
                (lambda w, p: w.update(colour="red"), "Additional properties"),
                (lambda w, p: p.pop("region"), "'region' is a required"),
                (lambda w, p: p.update(region="Frankfurt"), "does not match"),
                (lambda w, p: p.update(period=61), "not valid under any|multiple of"),
                (lambda w, p: p.update(stat="Median"), "does not match"),
                (lambda w, p: p.update(metrics=[]), "non-empty|too short"),
                (lambda w, p: p["metrics"][0].insert(2, "Class"), "pairs of a dimension"),
                (lambda w, p: p["metrics"].append([{"expression": "m9 * 2"}]), "there is no m9"),
                (lambda w, p: p["metrics"].append(["weir", "Refused", {"id": "m0"}]), "m0 is there twice"),
                (lambda w, p: p["metrics"][0].insert(0, {"id": "m1"}), "options stand once")):
            with self.subTest(why):
                self.assertRegex(self.fault(change), why)


if __name__ == "__main__":
    unittest.main()
