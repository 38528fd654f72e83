"""docs/reports/rollout-drill.md."""

import datetime
import hashlib
import os
import pathlib
import platform
import subprocess

from .process import ROOT
from .scenes import LONGEST, SCENES, Figures

PAGE = ROOT / "docs/reports/rollout-drill.md"


def write(found: dict[str, Figures], args, seconds: float) -> None:
    """All scenes with their figures, and what they were made with."""
    said = subprocess.run([args.weir, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        "# Rollout drill", "",
        f"Real weir processes ({args.tasks} of each colour) behind HAProxy, which follows the weights and targets of an emulated AWS;",
        f"{args.rate} requests a second from 240 client addresses, half of them on kept connections, some in flight for 1.5 s.",
        "`deploy/bin/rollout` and `rollback` run as processes of their own. weir sends its metrics to an emulated CloudWatch every",
        "10 s as in production; the load balancer's come by the minute, 30 s late. Made by a command; figures differ a little each",
        "time.", "", *asked(found),
        "| | |", "|---|---|",
        f"| command | `deploy/drill/run --weir …/{args.weir.name}` |",
        f"| commit | {commit()} |", f"| weir | {said}, {'a debug' if debug(args.weir) else 'a release'} build, SHA-256 {digest(args.weir)}… |",
        f"| machine | {os.cpu_count()} processors, {memory()} GiB, {platform.system()} {platform.machine()} |",
        f"| day | {datetime.date.today()} |", f"| took | {seconds:.0f} s |", ""]
    for name, figures in found.items():
        lines += [f"## {name}", "", SCENES[name].__doc__.strip(), "", "| what | figure |", "|---|---|"]
        lines += [f"| {what} | {text} |" for what, text in figures.rows.items()] + [""]
    lines += [
        "## What this does not show", "",
        "- How fast a real load balancer takes new weights to all its nodes, and how late its metrics come.",
        "- ECS placing tasks, pulling images and its circuit breaker; alarms that CloudWatch evaluates; IAM.",
        "- `known refused`: a client is known 15 minutes after a good answer. The gate is tested in `deploy/bin/tests`.", ""]
    PAGE.write_text("\n".join(lines))


def asked(found: dict[str, Figures]) -> list[str]:
    """What the drill is for, and whether it is so. A scene that fails leaves no report."""
    backs = {name: figures.way_back for name, figures in found.items() if figures.way_back is not None}
    unfailed = {name: figures.unfailed for name, figures in found.items() if figures.unfailed}
    each = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in backs.items())
    return [
        "| asked for | shown | emulated |", "|---|---|---|",
        f"| good releases, rollbacks and scaling in without one failed request | 0 of {sum(unfailed.values())} failed "
        f"({', '.join(unfailed)}) | load balancer: HAProxy, which tries no request again; its API and ECS: moto |",
        f"| back within {LONGEST} s of a bad metric | {max(backs.values()):.1f} s at most ({each}) "
        "| CloudWatch: ministack; the load balancer's metrics are counted by HAProxy |",
        "", "The clock of the second starts when the metric can first be read from CloudWatch. From the first bad answer it takes longer,",
        "by as much as the metric comes late: both are below. Until then bad answers go to the new release's share of requests.", ""]


def digest(weir: pathlib.Path) -> str:
    """Which binary it was."""
    return hashlib.sha256(weir.read_bytes()).hexdigest()[:12]


def commit() -> str:
    """What was run, and whether the tree was as committed."""
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    changed = [line for line in git("status", "--porcelain").splitlines() if not line.endswith("docs/reports/rollout-drill.md")]
    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if changed else "")


def debug(weir: pathlib.Path) -> bool:
    """Whether it is a build for tests: those have symbols, and are large."""
    return weir.stat().st_size > 60_000_000


def memory() -> int:
    """Of the machine, in GiB."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
