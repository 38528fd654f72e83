"""Figures of CloudWatch: sums of counters over the last minutes, as recent as each metric allows."""

import dataclasses
import datetime

OLDEST = 300  # seconds: a balancer's minute may come three minutes late


@dataclasses.dataclass(frozen=True)
class Metric:
    """A counter. `period` is the shortest that it is kept by: CloudWatch has no shorter sums of it."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    period: int

    @property
    def points(self) -> int:
        """How many of its periods count: a minute of what is kept by 10 s, two of what is kept by the minute."""
        return 6 if self.period == 10 else 2

    def query(self, number: int) -> dict:
        """As GetMetricData takes it."""
        dimensions = [{"Name": name, "Value": value} for name, value in sorted(self.dimensions)]
        return {"Id": f"m{number}", "MetricStat": {"Stat": "Sum", "Period": self.period, "Metric": {
            "Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}}}


Points = dict[Metric, dict[datetime.datetime, float]]


def read(cloudwatch, metrics: list[Metric], now: datetime.datetime, since: datetime.datetime | None) -> Points:
    """What came of each since a moment, and in the last minutes. One call, unless there is very much."""
    start = now - datetime.timedelta(seconds=OLDEST)
    found: Points = {metric: {} for metric in metrics}
    words = {"MetricDataQueries": [metric.query(at) for at, metric in enumerate(metrics)], "StartTime": start, "EndTime": now}
    while True:
        told = cloudwatch.get_metric_data(**words)
        for result in told["MetricDataResults"]:
            metric = metrics[int(result["Id"][1:])]
            # The period in which the moment fell counts whole.
            first = since and since - datetime.timedelta(seconds=since.timestamp() % metric.period)
            found[metric] |= {time: value for time, value in zip(result["Timestamps"], result["Values"])
                              if not first or time >= first}
        if not told.get("NextToken"):
            return found
        words["NextToken"] = told["NextToken"]


def sums(found: Points, parts: list[Metric], whole: list[Metric]) -> tuple[float, float]:
    """What parts and whole add up to, over the newest periods of the whole: a part that is 0 may have no points."""
    times = [time for metric in whole for time in found[metric]]
    if not times:
        return 0.0, 0.0

    def recent(metric: Metric) -> float:
        first = max(times) - datetime.timedelta(seconds=metric.period * (metric.points - 1))
        return sum(value for time, value in found[metric].items() if time >= first)
    return sum(map(recent, parts)), sum(map(recent, whole))
