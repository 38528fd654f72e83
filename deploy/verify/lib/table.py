"""One table of what was proven how, module by module."""
import collections
import pathlib
import re

from . import downgrade
from . import terraform as tf

HEAD = ("module", "applied for real", "valid on " + downgrade.PROVIDER + " only", "on the schema only", "arguments cut")
# Addresses have the module's name with _, folders have it with -.
NAMES = {name.replace("-", "_"): name for name in tf.MODULES}


def rows(addresses, cut, dropped):
    """A row a module: resources in the state, resource blocks that moto or the old provider lacks, arguments cut."""
    applied = collections.Counter(module(address) for address in addresses)
    schema = collections.Counter(of for of, text in cut if text.startswith("resource "))
    arguments = collections.Counter(of for of, text in cut if not text.startswith("resource "))
    valid = collections.Counter(of for of, _ in dropped)
    schema["aviatrix"] = sum(len(re.findall("^resource ", path.read_text(), re.M))
                             for path in pathlib.Path(tf.DEPLOY / "terraform/modules/aviatrix").glob("*.tf"))
    names = [*tf.MODULES, "common"]
    found = [(name, applied[name], valid[name], schema[name], arguments[name]) for name in names]
    return [*found, ("all", *(sum(row[at] for row in found) for at in range(1, len(HEAD))))]


def module(address):
    """module.load_balancer.aws_lb.this -> load-balancer; what staging itself makes stands in common/."""
    found = re.match(r"module\.(\w+)", address)
    return NAMES.get(found[1], found[1]) if found else "common"


def text(lines):
    """Aligned, the numbers to the right."""
    widths = [max(len(str(line[at])) for line in (HEAD, *lines)) for at in range(len(HEAD))]
    return "\n".join("  ".join(str(cell).ljust(width) if at == 0 else str(cell).rjust(width)
                               for at, (cell, width) in enumerate(zip(line, widths))) for line in (HEAD, *lines))
