"""Parameters from the environment, bounded."""

import os


class Wrong(Exception):
    """A parameter that can't be."""


SHORT = "SHORT"

# name: (unit, the most); k6/lib/params.js has those of the k6 scenarios.
NUMBERS = {
    "DURATION": ("s", 86400),
    "CONNECTIONS": ("connections", 5000),
    "RATE": ("requests/s", 50000),
    "MIN_RATE": ("requests/s", 10000000),
    "P99_MS": ("ms", 600000),
    "PROBE_P99_MS": ("ms", 600000),
}


def short():
    """Whether a run of seconds on a busy machine is wanted."""
    return os.environ.get(SHORT) == "1"


def number(name, full, quick):
    """A positive number: the environment's, or the default of a full or a short run."""
    given = os.environ.get(name)
    if not given:
        return quick if short() else full
    unit, most = NUMBERS[name]
    try:
        value = float(given)
    except ValueError:
        value = 0
    if not 0 < value <= most:
        raise Wrong(f'{name}="{given}": expected a number of {unit}, above 0, at most {most}')
    return value


def count(name, full, quick):
    """The same for what can only be counted."""
    value = number(name, full, quick)
    if value != int(value):
        raise Wrong(f'{name}="{value}": expected a whole number')
    return int(value)
