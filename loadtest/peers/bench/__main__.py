"""The command: plans the measurements, takes them in alternation, and writes the report."""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import measure, peers, process, report, stats
from .peers import ORIGIN_PORT, PEERS, PORT
from .rows import ROWS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(peers.CONF)))
# Seconds that a measurement takes beside its load, to tell the time left.
EXPECTED = {"cost": 1.4, "perf": 1.8, "callgrind": 8.5, "clients": 30, "idle": 2, "latency": 2.8, "flood": 7}


class Bench:
    """One run: its folder, its origin, and the samples taken."""

    def __init__(self, options, binaries):
        self.options, self.binaries = options, binaries
        self.seconds, self.quick, self.flood = options.seconds, options.quick, binaries.get("flood")
        self.dir = tempfile.mkdtemp(prefix="weir-peers-")
        self.cores = process.cores()
        self.samples, self.configs, self.failures = stats.Samples(), {}, []
        self.origin = None

    def add(self, what, row, peer, run, value):
        self.samples.add(what, row.key, peer, run, value, os.getloadavg()[0])

    def file(self, name):
        return os.path.join(self.dir, name)

    def prepare(self, rows):
        """Writes every config that will be used, and has the proxy itself check it."""
        command = (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=bench.test"
        )
        command = [*command.split(), "-keyout", self.file("key.pem"), "-out", self.file("cert.pem")]
        subprocess.run([*command, "-addext", "subjectAltName=DNS:bench.test"], check=True, capture_output=True)
        with open(self.file("both.pem"), "w") as out:
            for part in ("cert.pem", "key.pem"):
                with open(self.file(part)) as f:
                    out.write(f.read())
        for row in rows:
            for name in row.peers(self.options.proxies):
                self.write_config(PEERS[name], row.policy_of(name), row.transport)
        with open(self.file("origin.conf"), "w") as f:
            f.write(peers.origin_config(self.dir))

    def write_config(self, peer, policy, transport):
        path = self.config_path(peer, policy, transport)
        text = peer.config(policy, transport, self.dir)
        if text is None or path in self.configs:
            return
        with open(path, "w") as f:
            f.write(text)
        self.configs[path] = text.replace(self.dir, "DIR")
        done = subprocess.run(peer.validate(self.binaries[peer.name], path), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{peer.title} refuses its config {path}:\n{done.stdout}{done.stderr}")

    def config_path(self, peer, policy, transport):
        suffix = "" if transport == "http" else f"-{transport}"
        return self.file(f"{peer.name}-{policy}{suffix}{os.path.splitext(peer.template)[1]}")

    @contextlib.contextmanager
    def proxy(self, row, name, wrapper=()):
        """A proxy that runs as the row wants it, on its core; in one process where it is wrapped."""
        peer = PEERS[name]
        path = self.config_path(peer, row.policy_of(name), row.transport)
        command = peer.command(self.binaries[name], path, row.transport, self.dir)
        command = [*wrapper, *command, *(peer.alone if wrapper else ())]
        with self.running(command, PORT, row.transport) as proxy:
            yield proxy

    @contextlib.contextmanager
    def running(self, command, port, transport="http"):
        log = self.file("output.log")
        started = process.spawn(command, self.cores["proxy"], log)
        try:
            process.wait_ready(started, port, transport, log)
            yield started
        finally:
            process.stop(started)

    def run(self, jobs):
        """Takes the measurements one after another and tells how far it is."""
        begin, total = time.monotonic(), sum(cost for *_, cost in jobs)
        done = 0
        for number, (how, row, peer, run, cost) in enumerate(jobs, 1):
            left = (total - done) * ((time.monotonic() - begin) / done if done else 1)
            name = f"{row.key}: {peer}" + (f", {how.__name__}" if how in (measure.perf, measure.callgrind) else "")
            print(f"{number} of {len(jobs)}, {left / 60:.1f} min left: {name}", file=sys.stderr, flush=True)
            try:
                how(self, row, peer, run)
            except (process.Failed, OSError, ValueError, subprocess.SubprocessError) as e:
                self.failures.append(f"{name}, run {run}: {e}")
                print(f"left out: {e}", file=sys.stderr, flush=True)
            done += cost


def plan(options, rows, counted):
    """The measurements in their order: the proxies take turns in each row, and the whole is done `runs` times."""
    jobs = []

    def add(how, row, peer, run, seconds):
        jobs.append((how, row, peer, run, EXPECTED[how.__name__] + seconds))

    for run in range(options.runs if options.instructions != "only" else 0):
        for row in rows:
            taking_part = row.peers(options.proxies)
            if row.kind == "latency":
                taking_part = ["direct", *taking_part]
            # The memory of a million clients is the same each time.
            if row.kind == "clients" and run:
                continue
            for peer in taking_part:
                seconds = options.seconds * {"cost": 1, "latency": 1, "flood": 2}.get(row.kind, 0)
                add(measure.KINDS[row.kind], row, peer, run, seconds)
    for row in rows:
        if row.kind == "cost" and row.instructions and counted:
            for peer in row.peers(options.proxies):
                # A short run counts what the targets need.
                if peer in ("bare", "weir") or not options.quick:
                    add(counted, row, peer, 0, 0)
    return jobs


def listed(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r}: expected some of {','.join(known)}")
        return names

    return parse


def arguments():
    parser = argparse.ArgumentParser(prog="bench", description="Measures weir beside its peers.")
    parser.add_argument("--weir", required=True, type=os.path.abspath, help="weir's binary")
    parser.add_argument("--bare", type=os.path.abspath, help="the binary of loadtest/peers/bare")
    parser.add_argument("--flood", type=os.path.abspath, help="the load generator beside it (default: next to --bare)")
    parser.add_argument("--weir-pgo", type=os.path.abspath, help="weir's binary as built with PGO, if there is one")
    parser.add_argument("--rows", type=listed(ROWS), help=f"of {','.join(ROWS)}")
    parser.add_argument("--proxies", type=listed(PEERS), help=f"of {','.join(PEERS)}")
    parser.add_argument("--runs", type=int, help="runs of each row (default 3)")
    parser.add_argument("--seconds", type=int, help="seconds of each run (default 2)")
    parser.add_argument("--instructions", choices=["yes", "no", "only"], default="yes", help="whether they are counted")
    parser.add_argument("--quick", action="store_true", help="one short run of the main rows: two minutes")
    parser.add_argument("--report", type=os.path.abspath, help="the report; its CSV, plots and configs go beside it")
    options = parser.parse_args()
    whole = not options.quick and not options.rows and not options.proxies
    options.proxies = options.proxies or [name for name in PEERS if name != "weir-pgo" or options.weir_pgo]
    options.rows = options.rows or [r.key for r in ROWS.values() if r.quick or not options.quick]
    options.runs = options.runs or (1 if options.quick else 3)
    options.seconds = options.seconds or (1 if options.quick else 2)
    # Only a whole run replaces the committed report.
    place = "docs/reports" if whole else "target/bench-peers"
    options.report = options.report or os.path.join(ROOT, place, "performance.md")
    return options


def find_binaries(options, rows):
    """The binaries that are needed; ends the bench if one is missing."""
    path = os.pathsep.join([os.path.join(ROOT, ".tools/bin"), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    os.environ["PATH"] = path
    found = {"weir": options.weir, "weir-pgo": options.weir_pgo, "bare": options.bare}
    beside = os.path.dirname(options.bare or "")
    found |= {"flood": options.flood or os.path.join(beside, "flood"), "floor": os.path.join(beside, "floor")}
    needed = set(options.proxies) | {"nginx", "openssl", "taskset"}
    needed |= {"flood"} if any(r.kind == "flood" for r in rows) else set()
    needed |= {r.load.tool for r in rows}
    for name in sorted(needed):
        binary = found.get(name) or shutil.which(name)
        if not binary or not os.access(binary, os.X_OK):
            sys.exit(f"{name} is missing: scripts/setup.sh peers installs it, make bench-peers builds what is ours")
        found[name] = binary
    return found


def main():
    options = arguments()
    rows = [ROWS[key] for key in options.rows]
    binaries = find_binaries(options, rows)
    taken = [str(port) for port in peers.PORTS if not process.free(port)]
    if taken:
        sys.exit(f"in use: port {', '.join(taken)} of 127.0.0.1")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if os.geteuid() == 0:
        # Neighbours should take turns with the bench, not with one part of it.
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    # A bench that is stopped stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    counted = None
    if options.instructions != "no":
        counted = measure.perf if measure.perf_counts() else measure.callgrind if shutil.which("valgrind") else None
    bench = Bench(options, binaries)
    begun = (time.time(), os.getloadavg()[0])
    bench.prepare(rows)
    with bench.running([binaries["nginx"], "-c", bench.file("origin.conf")], ORIGIN_PORT) as bench.origin:
        bench.run(plan(options, rows, counted))
    report.write(bench, begun, counted)
    for failure in bench.failures:
        print(f"not measured: {failure}", file=sys.stderr)
    if bench.failures:
        print(f"what the proxies said is in {bench.dir}", file=sys.stderr)
    else:
        shutil.rmtree(bench.dir)
    print(f"{options.report} is written", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
