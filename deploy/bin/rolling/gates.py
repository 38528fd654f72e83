"""What tells that a release is bad. Every look gives a reading of each gate, with its figures, whether good or not."""

import dataclasses
import datetime

from . import figures
from .balancer import Balancer
from .figures import Metric
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
    refused: float = 0.05
    known_refused: float = 0.005
    at_least: int = 100


# weir's own metrics that are looked at, and the seconds of a sum: weir sends them by the second, a few at a time
# (docs/cloudwatch.md; a test holds them to that).
WEIR = {"Forwarded": 10, "Faults": 10, "OriginResponses": 10, "KnownForwarded": 10, "KnownRefused": 10, "KnownChallenged": 10}


class Gates:
    """All gates of one release."""

    def __init__(self, target: Target, balancer: Balancer, fleet: Fleet, cloudwatch, clock, limits: Limits) -> None:
        self.target, self.balancer, self.fleet = target, balancer, fleet
        self.cloudwatch, self.clock, self.limits = cloudwatch, clock, limits
        # From when on figures count: an earlier release of the same colour may have been a bad one.
        self.since: datetime.datetime | None = None
        self.beside: dict[str, float] = {}

    def begin(self) -> None:
        """From now on clients meet the new release."""
        self.since, self.beside = self.clock.wall(), {}

    def blind(self) -> str | None:
        """Why weir's own metrics can't be seen, if so. A weir at work tells what it forwards each second, also none."""
        found = figures.read(self.cloudwatch, [self.of_weir("Forwarded")], self.clock.wall(), None)
        if any(found.values()):
            return None
        return (f"CloudWatch has no metric Forwarded in namespace {self.target.namespace!r} with {self.target.dimensions} from the "
                f"last {figures.OLDEST // 60} minutes: make `metrics` of the target say what [cloudwatch] of weir's config says")

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

    def of_weir(self, name: str, **more: str) -> Metric:
        """One of weir's own metrics."""
        return Metric(self.target.namespace, name, tuple((self.target.dimensions | more).items()), WEIR[name])

    def of_balancer(self, name: str, colour: Colour) -> Metric:
        """What the load balancer counts of a colour, by the minute."""
        return Metric("AWS/ApplicationELB", name, (("LoadBalancer", self.target.balancer_suffix),
                                                   ("TargetGroup", colour.group_suffix)), 60)

    def shares(self, new: Colour, old: Colour) -> list[Reading]:
        """Errors and refusals, as shares of requests."""
        limits, least = self.limits, self.limits.at_least
        parts = [self.of_balancer(f"HTTPCode_Target_{code}_Count", colour) for code in ("5XX", "4XX") for colour in (new, old)]
        errors, old_errors, refused, old_refused = parts
        requests, old_requests = self.of_balancer("RequestCount", new), self.of_balancer("RequestCount", old)
        faults, origin, forwarded = self.of_weir("Faults"), self.of_weir("OriginResponses", Class="5xx"), self.of_weir("Forwarded")
        known = [self.of_weir(f"Known{outcome}") for outcome in ("Refused", "Forwarded", "Challenged")]
        found = figures.read(self.cloudwatch, [*parts, requests, old_requests, faults, origin, forwarded, *known],
                             self.clock.wall(), self.since)

        def sums(parts: list[Metric], *whole: Metric) -> tuple[float, float]:
            return figures.sums(found, parts, list(whole))
        usual = self.usual("5xx", *sums([old_errors], old_requests)) or 0.0
        readings = [
            # Beside the old colour: in an attack weir's own 503 are many, and as many on both.
            share(f"5xx of {new.name}", *sums([errors], requests), max(limits.errors, 2 * usual), least,
                  f", {percent(usual)} of {old.name}"),
            share("faults in all", *sums([faults, origin], forwarded, faults), limits.errors, least),
            share("known refused", *sums(known[:1], *known), limits.known_refused, least)]
        usual = self.usual("4xx", *sums([old_refused], old_requests))
        if usual is not None:  # what clients do wrong in an ordinary hour, only the old colour can tell
            readings.append(share(f"4xx of {new.name}", *sums([refused], requests), limits.refused + 2 * usual, least,
                                  f", {percent(usual)} of {old.name}"))
        return readings

    def usual(self, kind: str, part: float, whole: float) -> float | None:
        """The old colour's share; once it has no requests any more, its last one."""
        if whole >= self.limits.at_least:
            self.beside[kind] = part / whole
        return self.beside.get(kind)


def share(gate: str, part: float, whole: float, most: float, at_least: int, beside: str = "") -> Reading:
    """Judges a share, but not from a handful of requests."""
    if whole < at_least:
        return Reading(gate, UNKNOWN, f"only {whole:.0f} requests to judge by")
    value = part / whole
    return Reading(gate, BAD if value > most else GOOD, f"{percent(value)} of {whole:.0f}, at most {percent(most)}{beside}")


def percent(value: float) -> str:
    """A share for people."""
    return f"{100 * value:.2f} %"
