"""The load: wrk, h2load, `flood` and `pace`, and what they print."""

import dataclasses
import json
import os
import re
import subprocess
import sys

from .peers import CONF, PORT
from .process import Failed, pinned


@dataclasses.dataclass(frozen=True)
class Load:
    """What is sent. `clients` 0: every request from a new address. `refused`: the least and the most share of it."""

    clients: int = 100000
    offenders: int = 0
    path: str = "/"
    body: int = 0
    close: bool = False
    tool: str = "wrk"
    refused: tuple = (0, 0)


@dataclasses.dataclass(frozen=True)
class Result:
    requests: int
    refused: int
    seconds: float
    errors: str = ""

    @property
    def rate(self):
        return self.requests / self.seconds


def parse_wrk(text):
    requests, seconds = re.search(r"(\d+) requests in ([\d.]+)s", text).groups()
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(r"Socket errors: (.*)", text)
    return Result(int(requests), int(refused[1]) if refused else 0, float(seconds), errors[1] if errors else "")


def parse_h2load(text):
    counts = re.search(r"requests: .*?(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
    seconds = re.search(r"finished in ([\d.]+)(us|ms|s|m)\b", text)
    done, _, _, errored, timeout = map(int, counts.groups())
    good = int(re.search(r"status codes: (\d+) 2xx", text)[1])
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[seconds[2]]
    errors = f"{errored} errored, {timeout} timed out" if errored or timeout else ""
    # What was under way when the time was up has a status, and is not among those done.
    return Result(done, max(0, done - good), float(seconds[1]) * unit, errors)


def send(load, seconds, core, transport="http", connections=64, start=0):
    """Sends a load and returns its result; fails if the answers are not what they must be."""
    url = f"{'https' if transport == 'tls' else 'http'}://127.0.0.1:{PORT}{load.path}"
    environment = None
    if load.tool == "h2load":
        streams = 8
        command = ["h2load", "-t1", f"-c{connections // streams}", f"-m{streams}", f"-D{seconds}"]
        command += ["-H", "X-Forwarded-For: 198.18.0.1", url]
    else:
        # wrk takes whole seconds.
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "-s",
            os.path.join(CONF, "clients.lua"),
            url,
        ]
        environment = dict(
            os.environ,
            CLIENTS=str(load.clients),
            OFFENDERS=str(load.offenders),
            REQUEST_PATH=load.path,
            BODY=str(load.body),
            METHOD="POST" if load.body else "GET",
            CLOSE=str(int(load.close)),
            START=str(start),
        )
    done = subprocess.run(pinned(core) + command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{load.tool} failed: {done.stdout}{done.stderr}")
    return done.stdout


def measure(load, seconds, core, transport="http", connections=64, start=0):
    text = send(load, seconds, core, transport, connections, start)
    result = parse_h2load(text) if load.tool == "h2load" else parse_wrk(text)
    check(load, result)
    return result


def check(load, result):
    """Fails if the answers are not those that the load must get; some requests may pass before a limit bites."""
    least, most = load.refused
    free = 2500 / max(result.requests, 1)
    share = result.refused / max(result.requests, 1)
    if result.errors or not result.requests or not (least - free if least else 0) <= share <= most:
        raise Failed(
            f"{result.requests} requests, {share:.1%} refused; expected {least:.0%} to {most:.0%} {result.errors}"
        )


def flood(binary, rate, seconds, core, connections=256):
    """Starts a flood of refused clients at a fixed rate."""
    command = [binary, f"127.0.0.1:{PORT}", str(rate), str(seconds), str(connections)]
    return subprocess.Popen(pinned(core) + command, stdout=subprocess.PIPE, text=True)


def pace(port, rate, seconds, core):
    """Starts good clients at a fixed rate."""
    command = [sys.executable, "-m", "bench.pace", str(port), str(rate), str(seconds)]
    return subprocess.Popen(pinned(core) + command, stdout=subprocess.PIPE, text=True, cwd=os.path.dirname(CONF))


def outcome(process):
    out, _ = process.communicate(timeout=120)
    if process.returncode:
        raise Failed(f"{process.args[3]} failed")
    return json.loads(out)
