"""Linters over scripts, the image, the workflows and the StackSets. Each takes the root of a checkout or of a copy of it,
and returns what it finds, as text; nothing where all is well."""
import re

from . import terraform as tf
from .tools import call


def said(done, fine=(0,)):
    """A linter's words, or nothing where it ended well."""
    return "" if done.returncode in fine else (done.stdout + done.stderr).strip()[-4000:] or f"exit code {done.returncode}"


def shell(root):
    scripts = [p for place in ("deploy", "scripts") for p in sorted((root / place).rglob("*")) if p.is_file() and first_line(p, "sh")]
    return said(call("lint", "shellcheck", *scripts, cwd=root)) if scripts else "no script was found"


def python(root):
    files = [p for p in sorted((root / "deploy").rglob("*")) if p.is_file() and (p.suffix == ".py" or first_line(p, "python3"))]
    return said(call("lint", "ruff", "check", "--no-cache", "--isolated", "--select", "E9,F,B006,B008,B011,B023,S602", "--ignore", "F401", *files, cwd=root))


def first_line(path, word):
    with path.open("rb") as file:
        return re.match(rb"#!.*\b(ba)?%s\b" % word.encode(), file.readline()) is not None


def dockerfile(root):
    return said(call("lint", "hadolint", "deploy/image/Dockerfile", cwd=root))


def stacksets(root):
    return said(call("lint", "cfn-lint", *sorted((root / "deploy/stacksets").glob("*.yaml")), cwd=root))


def grammar(root):
    """actionlint, with shellcheck over the scripts in the workflows."""
    return said(call("lint", "actionlint", *sorted((root / ".github/workflows").glob("*.yml")), cwd=root))


def security(root):
    return said(call("lint", "zizmor", "--offline", "--quiet", "--no-progress", ".github", cwd=root))


def schemas(root):
    found = said(call("lint", "check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml", cwd=root))
    return found or said(call("lint", "check-jsonschema", "--builtin-schema", "vendor.github-workflows",
                              *sorted((root / ".github/workflows").glob("*.yml")), cwd=root))


def pinned(root):
    """Every action is named by a commit that docs/pipeline.md lists; every workflow begins with no permission."""
    table, wrong = (root / "docs/pipeline.md").read_text(), []
    for path in sorted((root / ".github/workflows").glob("*.yml")):
        text = path.read_text()
        if not re.search(r"^permissions: \{\}$", text, re.M):
            wrong.append(f"{path.name}: write  permissions: {{}}  at the top, and give each job what it needs")
        for use in re.findall(r"uses: *([^\s#]+)", text):
            commit = use.rpartition("@")[2]
            if use.startswith("./"):
                continue
            if not re.fullmatch("[0-9a-f]{40}", commit):
                wrong.append(f"{path.name}: {use} is not named by its commit")
            elif commit not in table:
                wrong.append(f"{path.name}: {use} is not in the table of docs/pipeline.md")
    return "\n".join(wrong)


LINTERS = {"shellcheck": shell, "ruff": python, "hadolint": dockerfile, "cfn-lint": stacksets, "actionlint": grammar,
           "zizmor": security, "check-jsonschema": schemas, "pinned": pinned}


def check(names, root=tf.ROOT):
    for name in names:
        found = LINTERS[name](root)
        if found:
            raise tf.Failed(f"{name}:\n{found}")
