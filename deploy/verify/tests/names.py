"""What the books may name: taken from where it is made, never from a list of its own."""
import functools
import json
import pathlib
import re

from books import DOCS, ROOT, text

TERRAFORM = ROOT / "deploy/terraform"
DOCUMENTS = TERRAFORM / "modules/operations/documents"
COLOURS = ("blue", "green", "backend")


@functools.cache
def all_terraform():
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(TERRAFORM.rglob("*.tf")))


def named_by_key(path):
    """What a for_each calls PREFIX-KEY or PREFIX/KEY: the keys of all maps in that file, with what stands before them."""
    body = path.read_text(encoding="utf-8")
    keys = re.findall(r'^\s*"?([a-z][a-z0-9-]*)"?\s*=\s*[{"]', body, re.M)
    return {between + key for between in set(re.findall(r"\$\{var\.prefix\}([-/])\$\{each\.key\}", body)) for key in keys}


@functools.cache
def suffixes():
    """What comes after a prefix, such as -blue or /config."""
    modules = TERRAFORM / "modules"
    known = {"-" + name for name in COLOURS}
    known |= {"-" + alarm["rule"] for alarm in json.loads((ROOT / "deploy/alarms.json").read_text())["alarms"]}
    known |= {"-" + path.stem for path in DOCUMENTS.glob("*.yaml")}
    known |= {"-" + key for path in sorted((modules / "monitoring").glob("*.tf")) for key in re.findall(r'^\s*"?([a-z0-9-]+)"?\s*=\s*(?:\{|merge)', path.read_text(), re.M)}
    known |= {name for path in TERRAFORM.rglob("*.tf") for name in named_by_key(path)}
    known |= {"/" + name for name in ("weir", "backend", "connect")}  # log groups of module service
    for found in re.findall(r"\$\{var\.prefix\}([-/][a-z0-9/-]+)", all_terraform()):
        known.add(found.rstrip("-/"))
    # What the commands make for themselves, named after the cluster.
    known |= {name for path in (ROOT / "deploy/bin/rolling").glob("*.py") for name in re.findall(r"\}(/[a-z]+-lock)\b", path.read_text())}
    known |= {f"-ipv{family}-{number}" for family in (4, 6) for number in range(20)}
    return known


@functools.cache
def prefixes():
    """The prefix of each environment, as its terraform.tfvars says."""
    return [re.search(r'^prefix\s*=\s*"([^"]+)"', path.read_text(), re.M)[1] for path in sorted(TERRAFORM.glob("environments/*/terraform.tfvars"))]


@functools.cache
def variables():
    """Variables of the environments and of all modules."""
    return set(re.findall(r'^variable "([a-z0-9_]+)"', all_terraform(), re.M))


def environment_variables():
    return {name for path in (TERRAFORM / "environments/common").glob("*.tf") for name in re.findall(r'^variable "([a-z0-9_]+)"', path.read_text(), re.M)}


@functools.cache
def config_keys():
    """Keys of weir's config, dotted, from its schema."""
    schema = json.loads((ROOT / "config/weir.schema.json").read_text())
    found = set()

    def walk(node, before, depth):
        if not isinstance(node, dict) or depth > 8:
            return
        if "$ref" in node:
            walk(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]], before, depth + 1)
        for part in node.get("anyOf", []) + node.get("oneOf", []) + node.get("allOf", []):
            walk(part, before, depth + 1)
        walk(node.get("items"), before, depth + 1)
        for key, value in node.get("properties", {}).items():
            name = f"{before}.{key}" if before else key
            found.add(name)
            walk(value, name, depth + 1)
    walk(schema, "", 0)
    return found


@functools.cache
def metrics():
    """weir_… as Prometheus sees them, CamelCase as CloudWatch does."""
    prometheus = set(re.findall(r"`((?:weir|process)_[a-z0-9_]+)`", text(DOCS / "metrics.md")))
    cloudwatch = set(re.findall(r"^\| `([A-Z]\w+)` \|", text(DOCS / "cloudwatch.md"), re.M))
    return prometheus, cloudwatch


def document_parameters(name):
    """Parameters of an SSM document of module operations."""
    body = (DOCUMENTS / f"{name}.yaml").read_text(encoding="utf-8")
    return set(re.findall(r"^  ([A-Z]\w+):", body[body.index("\nparameters:"):body.index("\nmainSteps:")], re.M))


def scenarios():
    """Load scenarios, by the files that are them."""
    load = ROOT / "loadtest"
    names = {path.stem for path in (load / "k6").glob("*.js")}
    return names | {f"{tool}-{path.stem}" for tool in ("oha", "slow") for path in (load / tool).glob("*.json")}
