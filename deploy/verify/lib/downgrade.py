"""Makes a copy of the modules fit for the older, genuine provider: what it does not know is taken out, and told.

Nothing is taken out silently: what may go is bounded by the kinds of Terraform's own complaints below, and the list
is returned. What was taken out is held by the stub on today's schema instead."""
import pathlib
import re

from . import terraform as tf

PROVIDER = "3.39.0"
# The same thing under an older name.
WORDS = [
    (r"data\.aws_region\.this\.region\b", "data.aws_region.this.name"), (r'domain(\s*)= "vpc"', r"vpc\1   = true"),
    (r"(aws_sqs_queue\.\w+)\.url\b", r"\1.id"), (r'"python3\.13"', '"python3.8"'),
    (r'"BLOCK", "COUNT", "CHALLENGE", "CAPTCHA"', '"BLOCK", "COUNT"'),
    (r"\[for one in aws_appconfig_environment.*\]", "[]"),
    # What stands in for composite alarms, which moto does not take.
    (r"aws_cloudwatch_composite_alarm\.(\w+)\.(alarm_name|arn)", r'"${var.prefix}-\1"'),
]
UNKNOWN = ("Unsupported argument", "Unsupported block type", "Invalid resource type")


def environment(mirror, folder):
    """Leads Terraform to the provider's zip in MIRROR, and nowhere else."""
    config = pathlib.Path(folder) / "genuine.tfrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
    return {"TF_CLI_CONFIG_FILE": str(config), "TF_REATTACH_PROVIDERS": ""}


def prepare(terraform):
    """The files that differ, the words that changed, and the older provider in every module."""
    for replacement in (tf.VERIFY / "genuine").glob("*/*.tf"):
        (terraform / "modules" / replacement.parent.name / replacement.name).write_text(replacement.read_text())
    for path in terraform.rglob("*.tf"):
        if path.is_symlink():
            continue
        text = path.read_text()
        for old, new in WORDS:
            text = re.sub(old, new, text)
        text = re.sub(r'version = "~> 6\.0"', f'version = "{PROVIDER}"', text)
        path.write_text(text)


def cut(path, line):
    """Takes out the argument or block that begins on this line, to where its brackets close."""
    lines = path.read_text().splitlines(keepends=True)
    depth, end = 0, line - 1
    while True:
        code = re.sub(r'"(?:\\.|[^"\\])*"', '""', lines[end].split(" #")[0])
        depth += sum(map(code.count, "{[(")) - sum(map(code.count, "}])"))
        end += 1
        if depth <= 0:
            break
    gone = lines[line - 1].strip()
    path.write_text("".join(lines[:line - 1] + ["\n"] * (end - line + 1) + lines[end:]))
    return gone


def fit(folder, env, rounds=12):
    """Validates and cuts until nothing unknown is left: (what was cut, what is still wrong)."""
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
            gone.append(f"{path.parent.name}/{path.name}: {cut(path, line)}")
    return gone, faults
