"""The progress display: one line that moves on a terminal, one line now and then elsewhere."""

import shutil
import sys

from .gates import BAD, GOOD, Reading

EVERY = 30  # seconds between lines where nobody watches


class Show:
    """Writes to standard error, so that standard output stays for the result."""

    def __init__(self, clock, out=sys.stderr) -> None:
        self.clock, self.out = clock, out
        self.moves = out.isatty()
        self.last = float("-inf")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.out.write(("\r\x1b[K" if self.moves else "") + text + "\n")
        self.out.flush()
        self.last = float("-inf")

    def progress(self, share: int, done: float, whole: float, readings: list[Reading]) -> None:
        """How far the step is, and what the gates say."""
        text = f"{bar(share)} {share:3} %  {minutes(done)} of {minutes(whole)}  " + "  ".join(map(brief, readings))
        if self.moves:
            # A line that wraps could not be written over. The worst gate stands first.
            self.out.write("\r\x1b[K" + text[:shutil.get_terminal_size().columns - 1])
            self.out.flush()
        elif self.clock.now() - self.last >= EVERY:
            self.out.write(text + "\n")
            self.out.flush()
            self.last = self.clock.now()


def bar(share: int) -> str:
    """Twenty cells."""
    full = share * 20 // 100
    return "█" * full + "░" * (20 - full)


def minutes(seconds: float) -> str:
    """1:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def brief(reading: Reading) -> str:
    """A gate in a few words, with a sign that needs no colour."""
    sign = {GOOD: "✓", BAD: "✗"}.get(reading.verdict, "?")
    return f"{sign} {reading.gate}: {reading.text}"
