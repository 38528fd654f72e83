#!/usr/bin/env python3
"""Measures weir beside its peers, all in one run, and writes docs/reports/performance.md and its CSV.

The proxy (one worker), wrk and the origin share one core and the proxies take turns, so that a busy neighbour meets
all of them alike. CPU time is the proxy's own; user instructions are counted by callgrind, which needs no hardware
counters and gives the same figure whatever else the machine does. `make peers` builds what is needed and runs this.
"""

import argparse
import csv
import os
import platform
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROXY, ORIGIN = 9001, 9000
# Threads take turns, or one that waits may keep the worker from running.
CALLGRIND = ["valgrind", "--tool=callgrind", "--fair-sched=yes"]
# A long copy by one `rep movsb` would be counted as an instruction a byte.
NO_REP = "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000"
LIMITS = {
    "pass": [],
    "limits": [
        'name = "client"\nkey = "client"\nrate = "10000/s"\nburst = 10000',
        'name = "prefix"\nkey = "prefix"\nrate = "50000/s"\nburst = 50000',
        'name = "route"\nkey = "route"\nmatch = { path = "/*" }\nrate = "100000/s"\nburst = 100000',
    ],
    "refuse": ['name = "client"\nkey = "client"\nrate = "1/m"\nburst = 1'],
}
# (key, case, proxy): what is run.
RUNS = [
    ("pass: bare Pingora", "pass", "bare"),
    ("pass: weir, no limits", "pass", "weir"),
    ("pass: weir, three limits", "limits", "weir"),
    ("refuse: nginx", "refuse", "nginx"),
    ("refuse: weir", "refuse", "weir"),
]


class Bench:
    """One measurement run: its binaries, its folder, and the rows it made."""

    def __init__(self, args):
        self.args = args
        self.dir = tempfile.mkdtemp(prefix="weir-peers-")
        self.rows = []

    def add(self, what, key, run, value):
        self.rows.append({"measure": what, "what": key, "run": run, "value": value})
        print(f"{what:12} {key:28} {value:.4g}", flush=True)

    def values(self, what, key):
        return [r["value"] for r in self.rows if (r["measure"], r["what"]) == (what, key)]

    # Processes

    def spawn(self, command, core, port):
        log = open(os.path.join(self.dir, "stderr.log"), "ab")
        process = subprocess.Popen(pinned(core) + command, stdout=subprocess.DEVNULL, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), 60) as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: bench.test\r\n\r\n")
                    if connection.recv(1):
                        return process
            except OSError:
                time.sleep(0.05)
        stop(process)
        sys.exit(f"{command[0]} does not answer on {port}; see {log.name}")

    def nginx(self, role, core, port):
        for name in (f"{role}.conf", "nginx.conf"):
            with open(os.path.join(HERE, name)) as f:
                text = f.read().replace("@DIR@", self.dir).replace("@ROLE@", role)
            path = os.path.join(self.dir, f"{role}.main.conf" if name == "nginx.conf" else name)
            with open(path, "w") as f:
                f.write(text)
        return self.spawn(["nginx", "-c", path], core, port)

    def proxy(self, name, case, core, wrapper=()):
        if name == "nginx":
            return self.nginx("refuse", core, PROXY)
        if name == "bare":
            command = [self.args.bare, f"127.0.0.1:{PROXY}", f"127.0.0.1:{ORIGIN}"]
        else:
            path = os.path.join(self.dir, f"weir-{case}.toml")
            with open(os.path.join(HERE, "weir.toml")) as f, open(path, "w") as out:
                out.write(f.read() + "".join(f"\n[[limit]]\n{limit}\n" for limit in LIMITS[case]))
            command = [self.args.weir, "serve", "--config", path]
        return self.spawn([*wrapper, *command], core, PROXY)

    # Measures

    def cpu(self):
        """CPU-seconds a million requests."""
        for run in range(self.args.runs):
            for key, case, name in RUNS:
                process = self.proxy(name, case, 0)
                try:
                    load(case, 1)
                    pids = family(process.pid)
                    before = cpu_seconds(pids)
                    requests = load(case, self.args.seconds)["requests"]
                    self.add("cpu_s_per_M", key, run, (cpu_seconds(pids) - before) / requests * 1e6)
                finally:
                    stop(process)

    def instructions(self):
        """User instructions a request."""
        out = os.path.join(self.dir, "callgrind.out")
        for key, case, name in RUNS:
            if name == "nginx":
                continue
            process = self.proxy(name, case, 0, ["env", NO_REP, *CALLGRIND, f"--callgrind-out-file={out}"])
            try:
                load(case, 3, connections=16)
                control(process.pid, "-z")
                requests = load(case, 10, connections=16)["requests"]
                control(process.pid, "-d")
            finally:
                stop(process)
            with open(f"{out}.1") as f:
                total = int(re.search(r"^(?:totals|summary): (\d+)", f.read(), re.M)[1])
            os.rename(f"{out}.1", os.path.join(self.dir, re.sub(r"\W+", "-", key) + ".callgrind"))
            self.add("instructions", key, 0, total / requests)

    def memory(self, idle=2000):
        """KiB for each idle connection that has been served once."""
        for run in range(3):
            for key, case, name in RUNS[:3]:
                process = self.proxy(name, case, 0)
                kept = []
                try:
                    kept += [served_once() for _ in range(200)]
                    before = pss_kib(family(process.pid))
                    kept += [served_once() for _ in range(idle)]
                    self.add("idle_KiB", key, run, (pss_kib(family(process.pid)) - before) / idle)
                finally:
                    for connection in kept:
                        connection.close()
                    stop(process)

    def latency(self, connections=60, pause=12):
        """Milliseconds at about 5,000 requests a second: the load and the origin on the other core."""
        for run in range(self.args.runs):
            for key, case, name in [("direct", "pass", None)] + RUNS[:3]:
                process = self.proxy(name, case, 0) if name else None
                try:
                    port = PROXY if name else ORIGIN
                    load(case, 1, connections, pause, port, core=-1)
                    seen = load(case, self.args.seconds, connections, pause, port, core=-1)
                    self.add("p50_ms", key, run, seen["p50"])
                    self.add("p99_ms", key, run, seen["p99"])
                finally:
                    if process:
                        stop(process)


def pinned(core):
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core])]


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def control(pid, command):
    subprocess.run(["callgrind_control", command, str(pid)], check=True, capture_output=True)


def load(case, seconds, connections=64, pause=0, port=PROXY, core=0):
    """Runs wrk; requests and latencies in milliseconds. Stops the bench if the answers are not what the case says."""
    refused = case == "refuse"
    env = dict(os.environ, CLIENTS="1000" if refused else "100000", PAUSE=str(pause))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", os.path.join(HERE, "clients.lua")]
    command = pinned(core) + command + [f"http://127.0.0.1:{port}/"]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r"(\d+) requests in", out)[1])
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = int(errors[1]) if errors else 0
    wrong = requests - errors if refused else errors
    if "Socket errors" in out or not requests or wrong > (1000 if refused else 0):
        sys.exit(f"the answers are not what {case} expects:\n{out}")
    units = {"us": 0.001, "ms": 1, "s": 1000}
    at = {p: re.search(rf"{p}%\s+([\d.]+)(us|ms|s)", out) for p in (50, 99)}
    return {"requests": requests} | {f"p{p}": float(m[1]) * units[m[2]] for p, m in at.items()}


def served_once():
    """A connection that has been served once, and stays."""
    connection = socket.create_connection(("127.0.0.1", PROXY), 10)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: bench.test\r\nX-Forwarded-For: 198.18.0.1\r\n\r\n")
    answer = b""
    while len(answer) < 100 or not answer.endswith(b"0123456789" * 10):
        piece = connection.recv(4096)
        if not piece:
            sys.exit(f"an idle connection was not served: {answer!r}")
        answer += piece
    return connection


def family(pid):
    """A process and its children."""
    found = [pid]
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found += family(int(entry))
        except OSError:
            pass
    return found


def cpu_seconds(pids):
    """Time on the CPU of all threads, to the nanosecond."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
    return total / 1e9


def pss_kib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])
    return total


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    return (done.stdout + done.stderr).strip().split("\n")[0]


def report(bench):
    """The report in Markdown; only what was measured."""

    def cell(measure, key):
        values = bench.values(measure, key)
        digits = 0 if measure == "instructions" else 3 if "_ms" in measure else 2
        spread = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else ""
        return f"{statistics.median(values):.{digits}f}{spread}" if values else "–"

    def median(measure, key):
        values = bench.values(measure, key)
        return statistics.median(values) if values else None

    bare, none, three, nginx, weir = (key for key, _, _ in RUNS)
    targets = [
        ("passing, no limits: CPU, of bare Pingora's", "cpu_s_per_M", none, bare, "/", 1.05, None),
        ("passing, three limits: CPU, of bare Pingora's", "cpu_s_per_M", three, bare, "/", 1.05, None),
        ("passing, three limits: user instructions added to bare Pingora", "instructions", three, bare, "-", 2000, 1200),
        ("refusing: CPU, of nginx's", "cpu_s_per_M", weir, nginx, "/", 0.75, 0.62),
        ("refusing: user instructions", "instructions", weir, None, "", 5000, 3500),
        ("KiB an idle connection", "idle_KiB", three, None, "", 12, 8),
        ("p50 added to direct, three limits, ms", "p50_ms", three, "direct", "-", 0.06, 0.035),
    ]
    lines = ["| what | reached | must | stretch |", "|---|---|---|---|"]
    for what, measure, key, peer, how, must, stretch in targets:
        value, other = median(measure, key), median(measure, peer) if peer else 0
        if value is None or other is None:
            continue
        value = value / other if how == "/" else value - other
        verdict = "stretch met" if stretch and value <= stretch else "met" if value <= must else "**missed**"
        shown = f"{value:.0f}" if measure == "instructions" else f"{value:.3f}"
        lines.append(f"| {what} | {shown} ({verdict}) | {must} | {stretch or ''} |")
    measures = {
        "cpu_s_per_M": "CPU-seconds a million requests",
        "instructions": "user instructions a request",
        "idle_KiB": "KiB an idle connection",
        "p50_ms": "p50, ms",
        "p99_ms": "p99, ms",
    }
    lines += ["", "| |" + "|".join(f" {name} " for name in measures.values()) + "|", "|---|" + "---|" * len(measures)]
    for key in ["direct"] + [key for key, _, _ in RUNS]:
        lines.append(f"| {key} | " + " | ".join(cell(measure, key) for measure in measures) + " |")
    return "\n".join(lines) + "\n"


def preamble(args):
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    commit = version("git", "describe", "--always", "--dirty", "--abbrev=12")
    return f"""# Performance beside the peers

Made by `make peers` (loadtest/peers/compare.py); every run is in [performance.csv](performance.csv).

- {time.strftime("%Y-%m-%d")}, commit {commit}, {os.cpu_count()} × {model[1] if model else platform.machine()},
  Linux {platform.release()}; load average while it ran: {args.load:.1f} to {os.getloadavg()[0]:.1f}
- {version(args.weir, "--version")}, bare Pingora 0.9.1 with the same allocator and profile,
  {version("nginx", "-v").replace("nginx version: ", "")}, {version("wrk", "-v").split(" Copyright")[0]},
  {version("valgrind", "--version")}, {version("rustc", "--version")}
- 64 connections kept alive, answers of 100 bytes; proxy (one worker), wrk and origin on one core; proxies take turns,
  {args.runs} runs of {args.seconds} s each: median (least to most). User instructions by callgrind. Latency at about
  5,000 requests a second, load and origin on another core.

"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weir", required=True, type=os.path.abspath, help="weir's binary")
    parser.add_argument("--bare", required=True, type=os.path.abspath, help="the binary of loadtest/peers/bare")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--measures", default="cpu,instructions,memory,latency")
    parser.add_argument("--report", type=os.path.abspath, help="write this file, and a .csv beside it")
    args = parser.parse_args()
    args.load = os.getloadavg()[0]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if os.geteuid() == 0:
        # Neighbours should take turns with the bench, not with one part of it.
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    bench = Bench(args)
    origin = bench.nginx("origin", 0, ORIGIN)
    try:
        for measure in args.measures.split(","):
            if measure == "latency":
                stop(origin)
                origin = bench.nginx("origin", -1, ORIGIN)
            getattr(bench, measure)()
    finally:
        stop(origin)
    text = report(bench)
    print(text)
    if args.report:
        os.makedirs(os.path.dirname(os.path.abspath(args.report)), exist_ok=True)
        with open(args.report, "w") as f:
            f.write(preamble(args) + text)
        with open(os.path.splitext(args.report)[0] + ".csv", "w", newline="") as f:
            writer = csv.DictWriter(f, ["measure", "what", "run", "value"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(bench.rows)


if __name__ == "__main__":
    main()
