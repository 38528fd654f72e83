"""Programs that are started, waited for and ended."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".tools"


class Failed(Exception):
    """Why the drill can't go on, or did not show what it should."""


def find(command: str, advice: str) -> str:
    """A command of .tools, the path, or where only root looks."""
    places = [str(TOOLS / "bin"), os.environ["PATH"], "/usr/sbin", "/sbin"]
    found = shutil.which(command, path=os.pathsep.join(places))
    if not found:
        raise Failed(f"{command} is missing: {advice}")
    return found


def free_port() -> int:
    """A port that is free on all addresses, below those that the kernel gives to outgoing connections: none of these takes it
    before the program that shall listen there does."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(first // 2, first), 100):
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("0.0.0.0", port))
            return port
    raise Failed(f"no port is free from {first // 2} to {first - 1}")


def until(what: str, holds, seconds: float = 30, every: float = 0.05):
    """Waits until something is true, and gives it; a time-out is a failure."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)
    return found


class Program:
    """A child process; what it says goes to a file."""

    def __init__(self, command: list[str], log: pathlib.Path, environment: dict[str, str] | None = None, **words) -> None:
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=os.environ | (environment or {}),
                                            **{"stdout": out, "stderr": out} | words)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def said(self) -> str:
        """All that it wrote."""
        return self.log.read_text(errors="replace")

    def end(self, seconds: float = 10) -> int:
        """Asks it to end, and makes it; its exit code."""
        if self.running:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()
