"""Runs a scenario's tool and turns what it measured into rows."""

import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path

from . import params
from .probe import Probe
from .service import row

# The longest run, whatever the parameters say.
MOST_SECONDS = 90000
PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


class Failed(Exception):
    """A tool is missing or broke; nothing was measured."""


def run(command, env=None, seconds=MOST_SECONDS):
    """Exit code, stdout and stderr of a command that ends in time. No proxy gets between it and the target."""
    env = {k: v for k, v in (env or os.environ).items() if k.lower() not in PROXIES}
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=seconds)
    except FileNotFoundError as error:
        raise Failed(f"{command[0]} is missing: scripts/setup.sh load") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]} did not end within {seconds:.0f} s") from error
    return done.returncode, done.stdout, done.stderr


def k6(scenario, target, out):
    """k6 judges by itself: its summary has the rows."""
    env = dict(os.environ, URL=target.url, OUT=str(out))
    result = Path(out, f"{scenario.name}.json")
    result.unlink(missing_ok=True)
    code, _, errors = run(["k6", "run", "--quiet", "--no-usage-report", str(scenario.path)], env)
    # 99: a threshold was missed.
    if code not in (0, 99) or not result.exists():
        raise Failed(f"k6 ended with {code}:\n{errors[-4000:]}")
    rows = json.loads(result.read_text())["rows"]
    if all(r["ok"] for r in rows) != (code == 0):
        raise Failed(f"k6 ended with {code}, but its summary says otherwise:\n{errors[-4000:]}")
    return rows


def oha(scenario, target, _out):
    """Speed and latency, where every answer has the wanted status."""
    wanted = scenario.settings["expect"]
    seconds = params.number("DURATION", 10, 2)
    connections = params.count("CONNECTIONS", scenario.settings["connections"], scenario.settings["connections"])
    command = ["oha", "--no-tui", "--output-format", "json", "--redirect", "0", "-z", f"{seconds}s", "-c", str(connections)]
    # Nobody waits for ever, and what is under way when the time is over still counts.
    command += ["-t", f"{5 if params.short() else 20}s", "-w"] + scenario.settings.get("args", [])
    rate = scenario.settings.get("rate")
    if rate:
        rate = params.count("RATE", rate, 100)
        command += ["-q", str(rate)]
    # A short run is for any machine.
    least = params.number("MIN_RATE", rate * 0.9 if rate else wanted["min_rate"], 50)
    command += ["-H", "X-Forwarded-For: 198.18.0.1", target.url + scenario.settings["path"]]
    code, output, errors = run(command, seconds=seconds + 60)
    if code != 0:
        raise Failed(f"oha ended with {code}:\n{errors[-4000:]}")
    return judge_oha(json.loads(output), wanted["status"], least, params.number("P99_MS", wanted["max_p99_ms"], 2000))


def judge_oha(result, status, least, p99):
    """Rows from oha's JSON. The one request that a limit of one lets through is not counted against it."""
    statuses = result["statusCodeDistribution"]
    # What the end of the run cuts off is no failure.
    errors = sum(n for what, n in result["errorDistribution"].items() if what != "aborted due to deadline")
    total = sum(statuses.values()) + errors
    others = total - statuses.get(status, 0)
    rate = statuses.get(status, 0) / result["summary"]["total"]
    seen = (result["latencyPercentiles"]["p99"] or float("inf")) * 1000
    return [
        row(f"answers other than {status}", others, f"<={int(status == '429')}", others <= int(status == "429")),
        row(f"answers of {status} a second", f"{rate:.0f}", f">={least:.0f}", rate >= least),
        row("99th percentile, ms", f"{seen:.1f}", f"<{p99:.0f}", seen < p99),
    ]


def slow(scenario, target, out, watch=None):
    """slowhttptest attacks, a probe beside it asks as a good client would."""
    wanted = scenario.settings["expect"]
    seconds = params.count("DURATION", 30, 6)
    connections = params.count("CONNECTIONS", 300, 60)
    p99 = params.number("PROBE_P99_MS", 50, 2000)
    with tempfile.TemporaryDirectory(prefix="weir-slow-") as folder:
        prefix = str(Path(folder, "slow"))
        command = ["slowhttptest", *scenario.settings["args"], "-c", str(connections), "-r", str(connections), "-p", "5"]
        command += ["-l", str(seconds), "-g", "-o", prefix, "-u", target.url + scenario.settings["path"]]
        with Probe(target) as probe:
            code, output, errors = run(command, seconds=seconds + 60)
        if code != 0 or "Exit status:" not in output:
            raise Failed(f"slowhttptest ended with {code}:\n{(output + errors)[-4000:]}")
        with open(f"{prefix}.csv") as file:
            steps = list(csv.DictReader(file))
    held = None
    if watch:
        held = watch.peak.get("weir_in_flight", float("inf"))
    ended = "No open connections left" in output
    return judge_slow(wanted, connections, steps, ended, held) + probe.judge(p99)


def judge_slow(wanted, connections, steps, ended, held):
    """Rows from slowhttptest's table: were there attackers, and what became of them."""
    open_at_once = max((int(s["Connected"]) for s in steps), default=0)
    opened = max((int(s["Connected"]) + int(s["Closed"]) for s in steps), default=0)
    left = 0 if ended else int(steps[-1]["Connected"])
    rows = [row("attacking connections opened", opened, f">={connections // 2}", opened >= connections // 2)]
    if wanted.get("cut"):
        rows.append(row("attacking connections left", left, "0", left == 0 and open_at_once > 0))
    if "held" in wanted and held is not None:
        rows.append(row("requests in flight at once", f"{held:.0f}", f"<={wanted['held']}", held <= wanted["held"]))
    return rows
