"""Makes a copy of the modules fit for the older, genuine provider: what it does not know is taken out, and told.

Nothing is taken out silently: what may go is bounded by the kinds of Terraform's own complaints below, and the list
is returned. What was taken out is held by the stub on today's schema instead."""
import pathlib
import re

from . import older
from . import terraform as tf

PROVIDER = "3.39.0"
# What the older provider knows and moto does not hold: valid there, and taken out before the apply.
NOT_HELD = {
    "aws_config_conformance_pack": "moto has no PutConformancePack",
    "aws_securityhub_account": "moto has no GetEnabledStandards, by which this provider asks whether the hub is on",
    "aws_securityhub_standards_subscription": "it needs the hub",
    "aws_accessanalyzer_analyzer": "moto has no CreateAnalyzer",
    "aws_elasticache_parameter_group": "moto has no CreateCacheParameterGroup",
    "aws_elasticache_replication_group": "moto makes no members of a group, and its deletion never ends",
}
# What stands where others referred to them.
IN_THEIR_PLACE = [(r"aws_config_conformance_pack\.this\.name", "var.prefix"),
                  (r"aws_elasticache_replication_group\.this\.replication_group_id", '"${var.prefix}-store"'),
                  (r"aws_elasticache_replication_group\.this\.primary_endpoint_address", '"store.example"')]
UNKNOWN = ("Unsupported argument", "Unsupported block type", "Invalid resource type")


def environment(mirror, folder):
    """Leads Terraform to the provider's zip in MIRROR, and nowhere else."""
    config = pathlib.Path(folder) / "genuine.tfrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return {"TF_CLI_CONFIG_FILE": str(config), "TF_REATTACH_PROVIDERS": ""}


def prepare(terraform):
    """The files that differ, the older words, and the older provider in every module."""
    for replacement in (tf.VERIFY / "genuine").glob("*/*.tf"):
        (terraform / "modules" / replacement.parent.name / replacement.name).write_text(replacement.read_text())
    for path in terraform.rglob("*.tf"):
        if path.is_symlink():
            continue
        text = older.say(path.read_text())
        text = re.sub(r'version = "~> 6\.0"', f'version = "{PROVIDER}"', text)
        path.write_text(text)


def cut(path, line):
    """Takes out the argument or block that begins on this line, to where its brackets close."""
    lines = path.read_text().splitlines(keepends=True)
    end = older.end(lines, line - 1)
    gone = lines[line - 1].strip()
    path.write_text("".join(lines[:line - 1] + ["\n"] * (end - line + 1) + lines[end:]))
    return gone


def drop(terraform):
    """Takes out what moto does not hold: (module, type) each."""
    gone = []
    for path in sorted(terraform.rglob("*.tf")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'resource "(\w+)" "(\w+)"', line)
            if found and found[1] in NOT_HELD and not path.is_symlink():
                cut(path, number)
                gone.append((path.parent.name, found[1]))
        text = path.read_text()
        for old, new in IN_THEIR_PLACE:
            text = re.sub(old, new, text)
        if not path.is_symlink():
            path.write_text(text)
    return gone


def fit(folder, env, rounds=12):
    """Validates and cuts until nothing unknown is left: ((module, what was cut) each, what is still wrong)."""
    tf.init(folder, env)
    gone, faults = [], []
    for _ in range(rounds):
        # Blocks inside dynamic ones come to light at a plan only.
        faults = tf.validate(folder, env) or tf.plan_faults(folder, env)
        places = {((folder / d["range"]["filename"]).resolve(), d["range"]["start"]["line"])
                  for d in faults if d["summary"] in UNKNOWN and d.get("range")}
        if not places:
            return gone, faults
        # From the end, so that the lines above keep their numbers; a file keeps its length anyway.
        for path, line in sorted(places, key=lambda place: -place[1]):
            gone.append((path.parent.name, cut(path, line)))
    return gone, faults
