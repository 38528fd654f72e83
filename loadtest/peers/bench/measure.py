"""The measurements. Each takes a proxy that runs, a row and the number of the run, and adds samples."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

from . import load
from .load import Load
from .peers import ORIGIN_PORT, PORT
from .process import Failed, cpu_seconds, family, first, pin, pss_kib

# Threads take turns, or one that waits may keep the worker from running.
CALLGRIND = ["valgrind", "--tool=callgrind", "--fair-sched=yes", "--instr-atstart=no"]
# A long copy by one `rep movsb` would be counted as an instruction a byte.
NO_REP = "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1000000000"


def cost(bench, row, peer, run):
    """CPU-seconds a million requests with proxy, load and origin on one core; memory before and after."""
    core = bench.cores["proxy"]
    pin(bench.origin.pid, core)
    with bench.proxy(row, peer) as proxy:
        load.measure(row.load, 1, core, row.transport)
        pids = family(proxy.pid)
        memory, before = pss_kib(pids), cpu_seconds(pids)
        # Other addresses than before.
        result = load.measure(row.load, bench.seconds, core, row.transport, start=10_000_000)
        bench.add("cpu_s_per_M", row, peer, run, (cpu_seconds(pids) - before) / result.requests * 1e6)
        bench.add("requests_per_s", row, peer, run, result.rate)
        after = pss_kib(pids)
        bench.add("pss_MiB", row, peer, run, after / 1024)
        bench.add("grown_MiB", row, peer, run, (after - memory) / 1024)


def perf(bench, row, peer, run):
    """User and kernel instructions a request, where the machine counts them."""
    core, out = bench.cores["proxy"], os.path.join(bench.dir, "perf.csv")
    pin(bench.origin.pid, core)
    with bench.proxy(row, peer) as proxy:
        load.measure(row.load, 1, core, row.transport)
        pids = ",".join(map(str, family(proxy.pid)))
        command = ["perf", "stat", "-x,", "-e", "instructions:u,instructions:k", "-p", pids, "-o", out]
        counter = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(0.2)
        result = load.measure(row.load, bench.seconds, core, row.transport, start=10_000_000)
        counter.send_signal(signal.SIGINT)
        counter.wait()
    with open(out) as f:
        counted = parse_perf(f.read())
    bench.add("user_instructions", row, peer, run, counted["instructions:u"] / result.requests)
    bench.add("kernel_instructions", row, peer, run, counted["instructions:k"] / result.requests)


def parse_perf(text):
    """Counts by event; those that the machine does not count are left out."""
    fields = (line.split(",") for line in text.splitlines())
    return {f[2]: int(f[0]) for f in fields if len(f) > 2 and f[0].isdigit()}


def perf_counts():
    """Whether this machine has the counters."""
    command = ["perf", "stat", "-x,", "-e", "instructions:u,instructions:k", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return False
    return len(parse_perf(done.stderr)) == 2


def callgrind(bench, row, peer, run):
    """User instructions a request, simulated: slow, but the same whatever else the machine does."""
    core, out = bench.cores["proxy"], os.path.join(bench.dir, "callgrind.out")
    pin(bench.origin.pid, core)
    with bench.proxy(row, peer, ["env", NO_REP, *CALLGRIND, f"--callgrind-out-file={out}.%p"]) as proxy:
        control(proxy.pid, "-i", "on")
        warm_up(row, core)
        control(proxy.pid, "-z")
        result = load.measure(row.load, 2 if bench.quick else 3, core, row.transport, 8, start=10_000_000)
        control(proxy.pid, "-d")
        with open(f"{out}.{proxy.pid}.1") as f:
            bench.add("user_instructions", row, peer, run, parse_callgrind(f.read()) / result.requests)


def warm_up(row, core, tries=4):
    """Loads what callgrind slows down until it keeps up: at first it translates the code, and may answer nobody."""
    for left in reversed(range(tries)):
        try:
            return load.measure(row.load, 2, core, row.transport, 8)
        except Failed:
            if not left:
                raise


def parse_callgrind(text):
    return int(re.search(r"^(?:totals|summary): (\d+)", text, re.M)[1])


def control(pid, *command):
    done = subprocess.run(["callgrind_control", *command, str(pid)], capture_output=True, text=True, timeout=120)
    if done.returncode or "Error" in done.stdout + done.stderr:
        raise Failed(f"callgrind_control {command}: {done.stdout}{done.stderr}")


def clients(bench, row, peer, run, many=1_000_000, longest=120):
    """Bytes of memory for each of a million clients; of fewer where the machine is too slow for so many."""
    beside = bench.cores["load"]
    pin(bench.origin.pid, bench.cores["origin"])
    with bench.proxy(row, peer) as proxy:
        load.measure(Load(clients=100), 2, beside)
        before, sent = pss_kib(family(proxy.pid)), 0
        end = time.monotonic() + longest
        while sent < many and time.monotonic() < end:
            sent += load.measure(Load(clients=0), 4, beside, start=sent).requests
        bench.add("bytes_per_client", row, peer, run, (pss_kib(family(proxy.pid)) - before) * 1024 / sent)
        bench.add("clients", row, peer, run, sent)


def idle(bench, row, peer, run, many=2000):
    """KiB for each idle connection that has been served once."""
    pin(bench.origin.pid, bench.cores["origin"])
    with bench.proxy(row, peer) as proxy, contextlib.ExitStack() as kept:
        for _ in range(200):
            kept.enter_context(served_once())
        before = pss_kib(family(proxy.pid))
        for _ in range(many):
            kept.enter_context(served_once())
        bench.add("idle_KiB", row, peer, run, (pss_kib(family(proxy.pid)) - before) / many)


def served_once():
    """A connection that has been served once, and stays."""
    connection = socket.create_connection(("127.0.0.1", PORT), 10)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: bench.test\r\nX-Forwarded-For: 198.18.0.1\r\n\r\n")
    answer = b""
    while not answer.endswith(b"0123456789" * 10):
        piece = connection.recv(4096)
        if not piece:
            raise Failed(f"an idle connection was not served: {answer!r}")
        answer += piece
    return connection


def latency(bench, row, peer, run):
    """Milliseconds at 5,000 requests a second, the load and the origin on other cores than the proxy."""
    pin(bench.origin.pid, bench.cores["origin"])
    with contextlib.nullcontext() if peer == "direct" else bench.proxy(row, peer):
        port = ORIGIN_PORT if peer == "direct" else PORT
        load.outcome(load.pace(port, 5000, 1, bench.cores["good"]))
        seen = paced(bench, port, 5000, bench.seconds + 1)
        for figure in ("p50", "p99"):
            bench.add(f"{figure}_ms", row, peer, run, seen[figure])


def flood(bench, row, peer, run, times=3, good=2000):
    """How much longer good clients wait while a flood is refused, of three times what the proxy can pass."""
    pin(bench.origin.pid, bench.cores["origin"])
    with bench.proxy(row, peer):
        load.measure(Load(), 1, bench.cores["load"])
        capacity = load.measure(Load(), bench.seconds, bench.cores["load"]).rate
        calm = paced(bench, PORT, good, bench.seconds + 1)
        flood = load.flood(bench.flood, round(times * capacity), bench.seconds + 2, bench.cores["load"])
        time.sleep(0.5)
        under = paced(bench, PORT, good, bench.seconds + 1)
        sent = load.outcome(flood)
    bench.add("passes_per_s", row, peer, run, capacity)
    bench.add("flood_per_s", row, peer, run, sent["sent"] / sent["seconds"])
    bench.add("flood_times", row, peer, run, sent["sent"] / sent["seconds"] / capacity)
    bench.add("calm_p99_ms", row, peer, run, calm["p99"])
    bench.add("flood_p99_ms", row, peer, run, under["p99"])
    bench.add("p99_ratio", row, peer, run, under["p99"] / calm["p99"])
    bench.add("good_failed_percent", row, peer, run, 100 * under["failed"] / max(1, under["requests"]))


def paced(bench, port, rate, seconds):
    """Good clients, who and whose origin are held up by nothing else on their cores."""
    pace = load.pace(port, rate, seconds, bench.cores["good"])
    with first([pace.pid, *family(bench.origin.pid)]):
        return load.outcome(pace)


KINDS = {"cost": cost, "clients": clients, "idle": idle, "latency": latency, "flood": flood}
