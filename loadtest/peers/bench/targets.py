"""What is to be reached, and whether it is."""

import dataclasses

from .stats import number


@dataclasses.dataclass(frozen=True)
class Target:
    """A figure of weir, alone, divided by another (`/`) or above another (`-`); each a (measure, row, peer)."""

    what: str
    figure: tuple
    how: str = ""
    other: tuple = ()
    must: float = None
    stretch: float = None
    unit: str = ""

    def value(self, samples):
        """None where something it needs was not measured."""
        figure = samples.median(*self.figure)
        if not self.how or figure is None:
            return figure
        other = samples.median(*self.other)
        if other is None or (self.how == "/" and not other):
            return None
        return figure / other if self.how == "/" else figure - other

    def verdict(self, value):
        if self.stretch is not None and value <= self.stretch:
            return "stretch met"
        if self.must is None:
            return "stretch missed"
        return "met" if value <= self.must else "**missed**"


CPU, USER = "cpu_s_per_M", "user_instructions"
TARGETS = (
    Target(
        "three limits: user instructions added to bare Pingora",
        (USER, "limits", "weir"),
        "-",
        (USER, "pass", "bare"),
        2000,
        1200,
    ),
    Target("passed with limits: CPU, of bare Pingora's", (CPU, "limits", "weir"), "/", (CPU, "pass", "bare"), 1.05),
    Target("passed with limits: CPU, of Envoy's", (CPU, "limits", "weir"), "/", (CPU, "limits", "envoy"), 0.65),
    Target("passed with limits: CPU, of HAProxy's", (CPU, "limits", "weir"), "/", (CPU, "limits", "haproxy"), None, 1),
    Target("refused: CPU, of nginx's", (CPU, "refuse", "weir"), "/", (CPU, "refuse", "nginx"), 0.75, 0.62),
    Target("refused: user instructions", (USER, "refuse", "weir"), must=5000, stretch=3500),
    Target("refused, built with PGO: CPU, of nginx's", (CPU, "refuse", "weir-pgo"), "/", (CPU, "refuse", "nginx"), 0.75, 0.62),
    Target("refused, built with PGO: user instructions", (USER, "refuse", "weir-pgo"), must=5000, stretch=3500),
    Target("every address new: CPU, of known clients'", (CPU, "spoofed", "weir"), "/", (CPU, "refuse", "weir"), 1.1),
    Target("every address new: memory grown in a run", ("grown_MiB", "spoofed", "weir"), must=1, unit="MiB"),
    Target("memory of a tracked client", ("bytes_per_client", "clients", "weir"), must=16, unit="B"),
    Target("memory of an idle connection", ("idle_KiB", "idle", "weir"), must=12, stretch=8, unit="KiB"),
    Target(
        "p50 added at 5,000 requests a second",
        ("p50_ms", "latency", "weir"),
        "-",
        ("p50_ms", "latency", "direct"),
        0.06,
        0.035,
        "ms",
    ),
    Target("good clients' p99 in a flood of 3× capacity, of that without", ("p99_ratio", "flood", "weir"), must=2),
)


def too_little(samples, target):
    """Why a target is not judged: a load that the machine could not make proves nothing."""
    times, clients = samples.median("flood_times", "flood", "weir"), samples.median("clients", "clients", "weir")
    if target.figure[0] == "p99_ratio" and times is not None and times < 2.7:
        return f"not judged: the load only reached {number(times)}×"
    if target.figure[0] == "bytes_per_client" and clients is not None and clients < 1_000_000:
        return f"not judged: only {number(clients)} clients came"
    return None


def floor(samples):
    """What no proxy can go below on this machine; nothing where it was not measured."""
    floor, nginx = samples.median(CPU, "refuse", "floor"), samples.median(CPU, "refuse", "nginx")
    if not floor or not nginx:
        return ""
    return (
        f"\nReceiving and sending alone, without a look at the request, cost {number(floor / nginx)} of nginx's CPU here: "
        "no proxy that answers each request by itself refuses for less on this machine.\n"
    )


def table(samples):
    """The verdicts in Markdown; only what was measured."""
    lines = ["| what | reached | must | stretch | |", "|---|---|---|---|---|"]
    for target in TARGETS:
        value = target.value(samples)
        if value is None:
            continue
        verdict = too_little(samples, target) or target.verdict(value)
        bounds = [
            f"≤ {bound:g}{f' {target.unit}' if target.unit else ''}" if bound is not None else ""
            for bound in (target.must, target.stretch)
        ]
        shown = number(value) + (f" {target.unit}" if target.unit else "")
        lines.append(f"| {target.what} | {shown} | {bounds[0]} | {bounds[1]} | {verdict} |")
    return "\n".join(lines) if len(lines) > 2 else ""
