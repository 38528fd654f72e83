"""Clients in a process of their own, and what they saw."""

import json
import pathlib
import subprocess
import sys
import threading
import time

from .process import Program, until


class Traffic:
    """Load from now until it is closed."""

    def __init__(self, port: int, rate: int, folder: pathlib.Path) -> None:
        script = pathlib.Path(__file__).parents[1] / "traffic.py"
        self.program = Program([sys.executable, str(script), "127.0.0.1", str(port), str(rate)], folder / "traffic.log",
                               stdout=subprocess.PIPE, text=True)
        self.lines: list[dict] = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        until("the first requests are answered", lambda: any(line["well"] for line in self.lines), 20)

    def read(self) -> None:
        """Keeps every line."""
        for line in self.program.process.stdout:
            self.lines.append(json.loads(line))

    def since(self, moment: float) -> tuple[dict[str, int], list[dict]]:
        """How many went well by colour since a moment, and each that failed."""
        lines = [line for line in list(self.lines) if line["at"] >= moment]
        well: dict[str, int] = {}
        for line in lines:
            for colour, count in line["well"].items():
                well[colour] = well.get(colour, 0) + count
        return well, [failed for line in lines for failed in line["failed"]]

    def settle(self) -> None:
        """Waits until a line says what was answered up to now."""
        now = time.time()
        until("the clients report", lambda: self.lines[-1]["at"] > now, 20)

    def close(self) -> None:
        """The last requests are waited for."""
        self.program.end(30)
        self.thread.join(5)
