"""Time, so that tests need not wait for it."""

import datetime
import time


class Clock:
    """The real one."""

    def now(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def wall(self) -> datetime.datetime:
        """The time of day."""
        return datetime.datetime.now(datetime.timezone.utc)

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)
