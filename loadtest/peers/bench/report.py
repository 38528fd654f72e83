"""The report in Markdown, with its CSV, plots and configs beside it. Only what was measured."""

import csv
import glob
import os
import platform
import re
import subprocess
import time

from . import measure, peers, plot, targets
from .peers import PEERS
from .rows import ROWS

# The columns of a row's table by its kind; the first is drawn.
COLUMNS = {
    "cost": {
        "cpu_s_per_M": "CPU-seconds a million requests",
        "user_instructions": "user instructions a request",
        "kernel_instructions": "kernel instructions a request",
        "requests_per_s": "requests a second, all on one core",
        "pss_MiB": "memory, MiB",
        "grown_MiB": "of that grown in the run",
    },
    "clients": {"bytes_per_client": "bytes a client", "clients": "clients that came"},
    "idle": {"idle_KiB": "KiB a connection"},
    "latency": {"p50_ms": "p50, ms", "p99_ms": "p99, ms"},
    "flood": {
        "p99_ratio": "p99 in the flood, of p99 without",
        "calm_p99_ms": "p99 without, ms",
        "flood_p99_ms": "p99 in the flood, ms",
        "passes_per_s": "can pass, requests a second",
        "flood_per_s": "flood, requests a second",
        "flood_times": "flood, times what it can pass",
        "good_failed_percent": "good requests failed, %",
    },
}


def write(bench, begun, counted):
    """Writes the report and all beside it."""
    path = bench.options.report
    base = os.path.splitext(path)[0]
    os.makedirs(base, exist_ok=True)
    for old in glob.glob(os.path.join(glob.escape(base), "*.svg")):
        os.remove(old)
    sections = [section(bench.samples, row, base) for row in ROWS.values()]
    name = os.path.basename(base)
    with open(path, "w") as f:
        f.write(preamble(bench, begun, counted, name))
        f.write("\n## Targets\n\n" + (targets.table(bench.samples) or "None of them was measured.") + "\n")
        f.write(targets.floor(bench.samples))
        f.write(decisions(os.path.dirname(path)))
        f.write("".join(sections))
        if bench.failures:
            f.write("\n## Not measured\n\n" + "".join(f"- {one_line(failure)}\n" for failure in bench.failures))
    with open(f"{base}.csv", "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(bench.samples.FIELDS)
        writer.writerows((*r[:4], f"{r[4]:.6g}", f"{r[5]:.2f}") for r in bench.samples.rows)
    with open(os.path.join(base, "configs.md"), "w") as f:
        f.write(configs(bench))


def decisions(folder):
    """Where the targets are that other benches judge."""
    there = [f"[{name}]({name})" for name in ("bench.md", "decide.md") if os.path.exists(os.path.join(folder, name))]
    return f"\nWhat a decision costs, in nanoseconds: {', '.join(there)}.\n" if there else ""


def one_line(text):
    return re.sub(r"\s+", " ", re.sub(r"/\S*/", "", text)).strip()


def title(peer):
    return PEERS[peer].title if peer in PEERS else peer


def section(samples, row, base):
    """A row: its table and its plot; empty where nothing was measured."""
    columns = COLUMNS[row.kind]
    measured = {m: samples.peers(m, row.key) for m in columns}
    columns = {m: name for m, name in columns.items() if measured[m]}
    if not columns:
        return ""
    names = [p for p in ("direct", *PEERS) if any(p in measured[m] for m in columns)]
    lines = [
        f"\n## {row.title}\n",
        row.about,
        "",
        "| | " + " | ".join(columns.values()) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for peer in names:
        cells = (samples.spread(m, row.key, peer) for m in columns)
        lines.append(f"| {title(peer)} | " + " | ".join("–" if cell is None else str(cell) for cell in cells) + " |")
    drawn = next(iter(columns))
    figures = [(title(p), samples.spread(drawn, row.key, p)) for p in names if p in measured[drawn]]
    with open(os.path.join(base, f"{row.key}.svg"), "w") as f:
        f.write(plot.bars(row.title, columns[drawn], figures))
    return "\n".join(lines) + f"\n\n![{row.title}]({os.path.basename(base)}/{row.key}.svg)\n"


def preamble(bench, begun, counted, name):
    """How, where and with what it was measured."""
    began, load = begun
    loads = [load, *(r[5] for r in bench.samples.rows), os.getloadavg()[0]]
    options = bench.options
    counting = {
        measure.perf: "Instructions are counted by perf, in runs of their own.",
        measure.callgrind: "This machine has no instruction counters for us: user instructions are those of callgrind, "
        "with 8 connections, and the kernel's are not counted.",
    }.get(counted, "Instructions were not counted.")
    cores = len(os.sched_getaffinity(0))
    return f"""# Performance beside the peers

Made by `make bench-peers` (loadtest/peers). Every single run is in [{name}.csv]({name}.csv), every config in
[{name}/configs.md]({name}/configs.md).

- {time.strftime("%Y-%m-%d", time.gmtime(began))}, commit {said("git", "-C", peers.CONF, "describe", "--always", "--dirty", "--abbrev=12")}, \
{(time.time() - began) / 60:.0f} min; {cores} × {processor()}, {memory()}, Linux {platform.release()}; load average \
(the bench's own part included) {min(loads):.1f} to {max(loads):.1f}
- {"; ".join(versions(bench))}
- {options.runs} {"runs" if options.runs > 1 else "run"} of {options.seconds} s after one second's warming up; in each, the \
proxies take turns, row by row: median (least to most). One worker each, no access log, connections to the origin kept.
- Cost: proxy, load and origin on one core, 64 connections kept alive unless the row says otherwise, so that a busy
  neighbour meets all alike; CPU time is the proxy's own, user and kernel. Memory is PSS. {counting}
- Other rows: the proxy has a core of its own.
- The client is taken from X-Forwarded-For by all. nginx, HAProxy and Envoy limit each client; bare Pingora has no limits,
  and stands beside those that have as the yardstick of its runtime. Its memory is that of Pingora's own buffers.
"""


def said(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown"
    return (done.stdout + done.stderr).strip().split("\n")[0]


def versions(bench):
    """Of everything that took part."""
    for name in bench.options.proxies:
        peer = PEERS[name]
        if peer.version:
            text = said(bench.binaries[name], *peer.version)
            found = re.search(r"\d+\.\d+\.\d+[\w.+-]*", text.split("version:")[-1])
            yield f"{peer.title} {found[0] if found else text}"
        elif name == "bare":
            yield f"{peer.title} {pingora()}, weir's allocator and build profile"
    yield said("wrk", "-v").split(" Copyright")[0]
    yield said("h2load", "--version")
    yield said("valgrind", "--version")
    yield said("rustc", "--version")
    yield f"Python {platform.python_version()}"


def pingora():
    with open(os.path.join(os.path.dirname(peers.CONF), "bare", "Cargo.lock")) as f:
        return re.search(r'name = "pingora-core"\nversion = "([^"]+)"', f.read())[1]


def processor():
    with open("/proc/cpuinfo") as f:
        text = f.read()
    model = re.search(r"model name\s*: (.*)", text)
    guest = " (virtual)" if re.search(r"^flags\s*:.*\bhypervisor\b", text, re.M) else ""
    return (model[1] if model else platform.machine()) + guest


def memory():
    with open("/proc/meminfo") as f:
        kib = int(re.search(r"MemTotal:\s+(\d+)", f.read())[1])
    return f"{kib / 2**20:.0f} GiB"


def configs(bench):
    """Every config that was used, in full."""
    text = [
        "# The configs of the report\n",
        "As the proxies were given them; DIR is a temporary folder. Policies: `none`; `limits` on and never hit; `share`, "
        "10/s for each client; `refuse`, a request a minute for each client and for all together. bare Pingora has no "
        "config: see loadtest/peers/bare. Envoy runs with `--concurrency 1`.\n",
    ]
    everything = {"origin.conf": peers.origin_config("DIR")} | {
        os.path.basename(p): t for p, t in bench.configs.items()
    }
    with open(os.path.join(peers.CONF, "clients.lua")) as f:
        everything["clients.lua"] = f.read()
    for name, config in everything.items():
        text.append(f"<details><summary>{name}</summary>\n\n```\n{config.rstrip()}\n```\n\n</details>\n")
    return "\n".join(text)
