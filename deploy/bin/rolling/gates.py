"""What tells that a release is bad. Every look gives a reading of each gate, with its figures, whether good or not."""

import dataclasses
import datetime

from .balancer import Balancer
from .fleet import Fleet
from .target import Colour, Target

GOOD, BAD, UNKNOWN = "good", "bad", "unknown"


@dataclasses.dataclass(frozen=True)
class Reading:
    """What one gate saw."""

    gate: str
    verdict: str
    text: str


@dataclasses.dataclass(frozen=True)
class Limits:
    """Above which share a release is bad, and how many requests it takes to judge by."""

    errors: float = 0.01
    known_refused: float = 0.005
    at_least: int = 100
    seconds: int = 60


@dataclasses.dataclass(frozen=True)
class Count:
    """A metric of CloudWatch whose sum counts."""

    namespace: str
    name: str
    dimensions: dict[str, str]


class Gates:
    """All gates of one release."""

    def __init__(self, target: Target, balancer: Balancer, fleet: Fleet, cloudwatch, clock, limits: Limits) -> None:
        self.target, self.balancer, self.fleet = target, balancer, fleet
        self.cloudwatch, self.clock, self.limits = cloudwatch, clock, limits

    def look(self, new: Colour, old: Colour, revision: str) -> list[Reading]:
        """A reading of every gate, worst first."""
        readings = [self.alarms(), self.tasks(new, revision), self.targets(new), *self.shares(new, old)]
        return sorted(readings, key=lambda reading: [BAD, UNKNOWN, GOOD].index(reading.verdict))

    def alarms(self) -> Reading:
        """The alarms of the target; one that is not there can't turn anything back."""
        found = {}
        for start in range(0, len(self.target.alarms), 100):
            told = self.cloudwatch.describe_alarms(AlarmNames=list(self.target.alarms[start:start + 100]),
                                                   AlarmTypes=["MetricAlarm", "CompositeAlarm"])
            for alarm in told.get("MetricAlarms", []) + told.get("CompositeAlarms", []):
                found[alarm["AlarmName"]] = alarm
        missing = [name for name in self.target.alarms if name not in found]
        loud = [name for name, alarm in found.items() if alarm["StateValue"] == "ALARM"]
        if missing:
            return Reading("alarms", BAD, f"no such alarm: {', '.join(missing)}")
        if loud:
            return Reading("alarms", BAD, f"in alarm: {', '.join(sorted(loud))}")
        return Reading("alarms", GOOD, f"{len(found)} quiet")

    def tasks(self, new: Colour, revision: str) -> Reading:
        """ECS' own word: its circuit breaker may have taken the release back already."""
        state = self.fleet.state(new)
        if state.failed or state.task_definition != revision:
            return Reading("tasks", BAD, f"ECS gave up on {revision.rsplit('/', 1)[-1]}: its tasks do not come up")
        # Fewer than wanted is no fault by itself: autoscaling may just have asked for more.
        verdict = GOOD if state.steady else UNKNOWN if state.running else BAD
        return Reading("tasks", verdict, f"{state.running} of {state.desired} run")

    def targets(self, new: Colour) -> Reading:
        """The load balancer's health checks."""
        healthy, unhealthy, starting = self.balancer.health(new.name)
        return Reading("targets", BAD if unhealthy or not healthy else GOOD,
                       f"{healthy} healthy, {unhealthy} not" + (f", {starting} starting" if starting else ""))

    def shares(self, new: Colour, old: Colour) -> list[Reading]:
        """Errors and refusals, as shares of requests."""
        limits, weir = self.limits, self.target.dimensions
        def of_weir(name: str, **more: str) -> Count:
            return Count(self.target.namespace, name, weir | more)
        def of_balancer(name: str, colour: Colour) -> Count:
            return Count("AWS/ApplicationELB", name, {"LoadBalancer": self.target.balancer_suffix,
                                                      "TargetGroup": colour.group_suffix})
        errors, requests = "HTTPCode_Target_5XX_Count", "RequestCount"
        wanted = [of_balancer(errors, new), of_balancer(requests, new), of_balancer(errors, old),
                  of_balancer(requests, old), of_weir("Faults"), of_weir("OriginResponses", Class="5xx"),
                  of_weir("Forwarded"), of_weir("KnownRefused"), of_weir("KnownRequests")]
        e_new, n_new, e_old, n_old, faults, origin, forwarded, refused, known = self.sums(wanted)
        beside = e_old / n_old if n_old else 0.0
        # Beside the old colour: in an attack weir's own 503 are many, and as many on both.
        return [share(f"5xx of {new.name}", e_new, n_new, max(limits.errors, 2 * beside), limits.at_least,
                      f", {percent(beside)} of {old.name}"),
                share("faults in all", faults + origin, forwarded + faults, limits.errors, limits.at_least),
                share("known refused", refused, known, limits.known_refused, limits.at_least)]

    def sums(self, counts: list[Count]) -> list[float]:
        """What each counted in the last seconds. The balancer's metrics come by the minute and late: two minutes."""
        end = self.clock.wall()
        queries = [{"Id": f"m{at}", "MetricStat": {"Stat": "Sum", "Period": 60 if count.namespace.startswith("AWS/") else 10,
                    "Metric": {"Namespace": count.namespace, "MetricName": count.name, "Dimensions": [
                        {"Name": name, "Value": value} for name, value in sorted(count.dimensions.items())]}}}
                   for at, count in enumerate(counts)]
        found: dict[str, list] = {}
        more: dict = {}
        while True:
            told = self.cloudwatch.get_metric_data(MetricDataQueries=queries, EndTime=end,
                                                   StartTime=end - datetime.timedelta(seconds=180), **more)
            for result in told["MetricDataResults"]:
                found.setdefault(result["Id"], []).extend(zip(result["Timestamps"], result["Values"]))
            if not told.get("NextToken"):
                break
            more = {"NextToken": told["NextToken"]}
        sums = []
        for at, count in enumerate(counts):
            window = 120 if count.namespace.startswith("AWS/") else self.limits.seconds
            since = end - datetime.timedelta(seconds=window)
            sums.append(sum(value for time, value in found.get(f"m{at}", []) if time >= since))
        return sums


def share(gate: str, part: float, whole: float, most: float, at_least: int, beside: str = "") -> Reading:
    """Judges a share, but not from a handful of requests."""
    if whole < at_least:
        return Reading(gate, UNKNOWN, f"only {whole:.0f} requests to judge by")
    value = part / whole
    return Reading(gate, BAD if value > most else GOOD, f"{percent(value)} of {whole:.0f}, at most {percent(most)}{beside}")


def percent(value: float) -> str:
    """A share for people."""
    return f"{100 * value:.2f} %"
