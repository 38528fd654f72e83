"""Medians with their spread, and how figures are written."""

import dataclasses
import statistics


def percentile(ordered, percent):
    """The smallest value that so many percent of the sorted `ordered` do not exceed."""
    if not ordered:
        raise ValueError("no values")
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median of some runs, the least and the most of them."""

    median: float
    least: float
    most: float
    runs: int

    @classmethod
    def of(cls, values):
        return cls(statistics.median(values), min(values), max(values), len(values))

    def __str__(self):
        if self.runs == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(self.least)} to {number(self.most)})"


def number(value):
    """Three significant digits; whole thousands in groups."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


class Samples:
    """Every single run: (measure, row, peer, run, value, load average)."""

    FIELDS = ("measure", "row", "peer", "run", "value", "load")

    def __init__(self, rows=()):
        self.rows = list(rows)

    def add(self, measure, row, peer, run, value, load=0.0):
        self.rows.append((measure, row, peer, run, value, load))

    def values(self, measure, row, peer):
        return [r[4] for r in self.rows if r[:3] == (measure, row, peer)]

    def spread(self, measure, row, peer):
        """None where nothing was measured."""
        values = self.values(measure, row, peer)
        return Spread.of(values) if values else None

    def median(self, measure, row, peer):
        spread = self.spread(measure, row, peer)
        return spread.median if spread else None

    def peers(self, measure, row):
        """Who was measured, in the order of measuring."""
        return list(dict.fromkeys(r[2] for r in self.rows if r[:2] == (measure, row)))
