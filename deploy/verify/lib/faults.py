"""Puts a fault into a copy and looks who catches it. The faults themselves stand in faults/: each must be caught by the
step that should, or the checks are worth nothing; one whose text is no longer there fails the run."""
import concurrent.futures
import dataclasses
import pathlib
import re
import shutil
import tempfile

from policy import rules

from . import documents, lint, standing
from . import terraform as tf

TERRAFORM, DOCUMENTS = "terraform", "documents"


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is wrong, the file or folder under deploy/ (or under the root, from .github/), what stands there and what is put
    there instead, and who must catch it: terraform, documents, a rule or a linter. Spaces count as one."""
    name: str
    place: str
    old: str
    new: str
    by: str
    short: bool = False


def files(root, place):
    path = root / place if place.startswith(".github") else root / "deploy" / place
    if path.is_dir():
        return [p for p in sorted(path.iterdir()) if p.is_file()]
    return [path.resolve()] if path.exists() else []


def put(fault, root):
    """Puts the fault in, everywhere its text stands in that place."""
    pattern, found = re.compile(r"\s+".join(map(re.escape, fault.old.split()))), 0
    for path in files(root, fault.place):
        text = path.read_text()
        changed, count = pattern.subn(lambda _: fault.new, text)
        if count:
            path.write_text(changed)
            found += count
    if not found:
        raise tf.Failed(f"fault {fault.name!r}: {fault.place} no longer holds {fault.old!r}")


def by_linter(fault):
    """Linters read a copy of what they lint."""
    with tempfile.TemporaryDirectory(prefix="weir-fault-") as folder:
        root = pathlib.Path(folder)
        for part in (".github", "deploy/image", "deploy/stacksets", "deploy/verify", "deploy/bin", "scripts"):
            shutil.copytree(tf.ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "docs").mkdir()
        shutil.copy(tf.ROOT / "docs/pipeline.md", root / "docs/pipeline.md")
        put(fault, root)
        return {fault.by} if lint.LINTERS[fault.by](root) else set()


def by_plan(fault, environments):
    """Terraform and the stub, then our rules, then the models of documents."""
    with environments.copy() as root:
        put(fault, root)
        try:
            made = standing.plan(root / "deploy/terraform/environments/production", environments.env)
        except tf.Failed:
            return {TERRAFORM}
        found = {rule for rule, _, _ in rules.judge(made, True)}
        return found | ({DOCUMENTS} if fault.by == DOCUMENTS and documents.findings(made)[0] else set())


def missed(fault, environments):
    """Nothing where the fault was caught by who should; else what happened."""
    try:
        found = by_linter(fault) if fault.by in lint.LINTERS else by_plan(fault, environments)
    except tf.Failed as failed:
        return str(failed)
    if fault.by not in found:
        return f"fault {fault.name!r} is for {fault.by}; it was caught by {', '.join(sorted(found)) or 'nobody'}"
    return None


def run(faults, environments):
    """All that went wrong. Two at a time, for two processors."""
    unknown = [f.name for f in faults if f.by not in {TERRAFORM, DOCUMENTS, *rules.RULES, *lint.LINTERS}]
    if unknown:
        raise tf.Failed(f"nobody could catch these: {', '.join(unknown)}")
    environments.apply("production")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [said for said in pool.map(lambda fault: missed(fault, environments), faults) if said]
