#!/usr/bin/env python3
"""What weir's signals cost: its CPU a request with every request logged, with collectors that hang, and with the live page
open, each beside none of it. Rounds in turn, and the median of their ratios. The origin is another process."""

import argparse
import http.client
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from kit.hole import black_hole
from kit.service import Unavailable, Weir
from kit.tools import Failed, run

HERE = Path(__file__).parent
OFF = '[log]\naccess = "off"\n'
FILE = '[log]\naccess = "{folder}/access.log"\nforwarded_sample = "100%"\nrefused_rate = "100000/s"\n'
HANGING = FILE + """
[syslog]
enabled = true
address = "tcp://127.0.0.1:{hole}"
[netflow]
enabled = true
collector = "127.0.0.1:{hole}"
[alerts]
webhook = "http://127.0.0.1:{hole}/"
"""
TICKS = os.sysconf("SC_CLK_TCK")


def cpu(process):
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def watch(admin):
    """Opens the live page's stream, and reads it for as long as it lasts."""
    connection = http.client.HTTPConnection(admin, timeout=30)
    connection.request("GET", "/api/live")
    answer = connection.getresponse()
    if answer.status != 200:
        raise Failed(f"/api/live answered {answer.status}")

    def read():
        try:
            while answer.read1(65536):
                pass
        except (OSError, http.client.HTTPException):
            pass  # weir ended

    threading.Thread(target=read, daemon=True).start()


def cost(wanted, config, viewers):
    """Microseconds of CPU a request."""
    with Weir(wanted.weir, config) as running:
        for _ in range(viewers):
            watch(running.admin)
        command = ["oha", "--no-tui", "-n", str(wanted.requests), "-c", "16",
                   f"http://{running.http}/health"]
        before = cpu(running.process)
        code, _, errors = run(command, seconds=300)
        if code:
            raise Failed(f"oha ended with {code}: {errors}")
        return (cpu(running.process) - before) / wanted.requests * 1e6


def threads(process):
    """Seconds of CPU by thread name, workers left out."""
    used = {}
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        name = Path(task, "comm").read_text().strip()
        fields = Path(task, "stat").read_text().rsplit(")", 1)[1].split()
        used[name] = used.get(name, 0) + (int(fields[11]) + int(fields[12])) / TICKS
    return used


def many_clients(address, seconds):
    """10,000 clients that each come every ten seconds or so, over one connection of a trusted proxy."""
    connection = http.client.HTTPConnection(address, timeout=10)
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        client = f"10.9.{sent % 10_000 // 250}.{sent % 250}"
        connection.request("GET", "/health", headers={"X-Forwarded-For": client})
        connection.getresponse().read()
        sent += 1
    return sent / seconds


def page(wanted, config):
    """What an open page costs while 10,000 clients are about."""
    for viewers in (0, 1):
        with Weir(wanted.weir, config) as running:
            many_clients(running.http, 10)
            for _ in range(viewers):
                watch(running.admin)
            before = threads(running.process)
            rate = many_clients(running.http, wanted.seconds)
            used = {name: cpu - before.get(name, 0) for name, cpu in threads(running.process).items()}
            told = ", ".join(f"{name} {100 * cpu / wanted.seconds:.2f} %" for name, cpu in sorted(used.items())
                             if name in ("weir-admin", "weir-control", "weir-drain", "weir-alerts"))
            print(f"{viewers} viewers, 10,000 clients, {rate:.0f} requests/s: of a core {told}", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weir", required=True, help="the binary")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--requests", type=int, default=100_000)
    arguments.add_argument("--seconds", type=int, default=20, help="of each look at the page's cost")
    wanted = arguments.parse_args()
    plain = (HERE / "conf" / "open.toml").read_text()
    with tempfile.TemporaryDirectory() as folder, Weir(wanted.weir, HERE / "conf" / "open.toml") as origin:
        base = plain.replace('addresses = ["demo"]', f'addresses = ["{origin.demo}"]')
        base = base.replace(OFF, "LOG")
        cases = {"off": (OFF, 0), "file, every request": (FILE, 0), "and collectors that hang": (HANGING, 0),
                 "one viewer of the live page": (OFF, 1)}
        found = {name: [] for name in cases}
        for turn in range(wanted.rounds):
            for name, (log, viewers) in cases.items():
                config = Path(folder, "weir.toml")
                config.write_text(base.replace("LOG", log.format(folder=folder, hole=black_hole())))
                found[name].append(cost(wanted, config, viewers))
                Path(folder, "access.log").unlink(missing_ok=True)
            print(f"round {turn + 1}: " + ", ".join(f"{name} {us[-1]:.1f} us" for name, us in found.items()), flush=True)
        for name, us in found.items():
            ratios = [a / b for a, b in zip(us, found["off"])]
            print(f"{name}: {statistics.median(us):.1f} us a request, {statistics.median(ratios):.3f} of off "
                  f"({min(ratios):.3f} to {max(ratios):.3f})")
        page(wanted, HERE / "conf" / "open.toml")


if __name__ == "__main__":
    try:
        main()
    except (Failed, Unavailable) as failed:
        raise SystemExit(f"signals: {failed}") from failed
