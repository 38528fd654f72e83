"""The gates' metrics are those that weir sends: docs/cloudwatch.md is made from the source by a test of weir's own."""

import datetime
import pathlib
import re
import unittest
import unittest.mock

from rolling import figures
from rolling.gates import WEIR, Gates, Limits
from rolling.target import Colour, Target

DOCS = pathlib.Path(__file__).parents[3] / "docs"


def table() -> dict[str, dict[str, str]]:
    """The rows of docs/cloudwatch.md, by metric."""
    lines = (DOCS / "cloudwatch.md").read_text(encoding="utf-8").split("<!-- metrics -->")[1].split("<!-- end of metrics -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines.strip().splitlines()]
    return {row[0].strip("`"): dict(zip(rows[0], row)) for row in rows[2:]}


class Spy:
    """A CloudWatch that keeps what it was asked."""

    def get_metric_data(self, **words) -> dict:
        self.asked = [query["MetricStat"] for query in words["MetricDataQueries"]]
        return {"MetricDataResults": []}


class Metrics(unittest.TestCase):
    """Names, periods, statistics and dimensions."""

    def asked(self) -> list[dict]:
        """What a look asks CloudWatch for."""
        spy, clock = Spy(), unittest.mock.Mock(wall=lambda: datetime.datetime.now(datetime.timezone.utc))
        colours = {name: Colour(name, name, f"arn:x:targetgroup/{name}/1") for name in ("blue", "green")}
        target = Target("c", "arn:x:listener/app/a/1/2", "", colours, "", (), "weir", {"Service": "weir"})
        Gates(target, None, None, spy, clock, Limits()).shares(colours["green"], colours["blue"])
        return [query for query in spy.asked if query["Metric"]["Namespace"] == "weir"]

    def test_each_is_in_the_reference_and_is_a_sum(self) -> None:
        known = table()
        for name in WEIR:
            self.assertIn(name, known, "the gates look at a metric that weir does not send")
            self.assertEqual(known[name]["statistic"], "Sum", name)

    def test_none_is_asked_for_by_less_than_it_is_kept_by(self) -> None:
        known = table()
        for name, period in WEIR.items():
            self.assertEqual(period, {"1": 10, "60": 60}[known[name]["seconds"]], name)

    def test_dimensions_are_complete(self) -> None:
        known, asked = table(), self.asked()
        self.assertEqual({query["Metric"]["MetricName"] for query in asked}, set(WEIR))
        for query in asked:
            name, more = query["Metric"]["MetricName"], {d["Name"] for d in query["Metric"]["Dimensions"]} - {"Service"}
            wanted = known[name]["more dimensions"]
            self.assertEqual(more, {wanted} if wanted else set(), name)

    def test_known_clients_are_counted_with_all_their_outcomes(self) -> None:
        # Were there a fourth one, the share would be of too few.
        counted = {row["made from"] for row in table().values() if "weir_known_requests_total" in row["made from"]}
        outcomes = re.search(r"`weir_known_requests_total`.*outcome is ([^|]*)", (DOCS / "metrics.md").read_text(encoding="utf-8"))
        self.assertEqual(len(counted), len(re.split(r", | or ", outcomes[1].strip())))


class Windows(unittest.TestCase):
    """How far back a sum goes, from the newest period of the whole on."""

    def summed(self, period: int) -> tuple[float, float]:
        """Of a part that is 1 and a whole that is 10 in each of the last ten periods."""
        part, whole = (figures.Metric("n", name, (), period) for name in ("part", "whole"))
        times = [datetime.datetime.fromtimestamp(at * period, datetime.timezone.utc) for at in range(10)]
        return figures.sums({part: dict.fromkeys(times, 1.0), whole: dict.fromkeys(times, 10.0)}, [part], [whole])

    def test_what_comes_by_ten_seconds_counts_for_a_minute(self) -> None:
        self.assertEqual(self.summed(10), (6.0, 60.0))

    def test_of_what_comes_by_the_minute_two_count(self) -> None:
        self.assertEqual(self.summed(60), (2.0, 20.0))

    def test_known_clients_are_judged_by_the_last_minute_like_all_of_weirs(self) -> None:
        now = datetime.datetime.fromtimestamp(600, datetime.timezone.utc)
        old, new = now - datetime.timedelta(seconds=70), now - datetime.timedelta(seconds=10)
        refused, forwarded = (figures.Metric("weir", name, (), WEIR[name]) for name in ("KnownRefused", "KnownForwarded"))
        found = {refused: {old: 50.0}, forwarded: {old: 50.0, new: 200.0}}
        self.assertEqual(figures.sums(found, [refused], [refused, forwarded]), (0.0, 200.0))
