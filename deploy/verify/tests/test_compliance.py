"""docs/compliance.md names only resources, rules and checks that are there, and every rule of AWS Config that we have."""
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from books import DOCS, ROOT, text  # noqa: E402

MODULES = ROOT / "deploy/terraform/modules"
POLICY = ROOT / "deploy/verify/policy"
CHECKOV = ROOT / ".tools/py/checkov/checkov/terraform/checks"


def rows():
    """(control, frameworks, resources, checks) of the tables that have such columns."""
    for line in text(DOCS / "compliance.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 4 and re.search(r"\b(FSBP|CIS|PCI|SOC) ", cells[1]):
            yield cells


def resources():
    made = set()
    for path in MODULES.glob("*/*.tf"):
        made |= {f"{path.parent.name}.{kind}.{name}" for kind, name in re.findall(r'^resource "([a-z0-9_]+)" "([a-z0-9_]+)"', path.read_text(), re.M)}
    return made


def config_rules():
    body = (MODULES / "audit/variables.tf").read_text()
    body = body[body.index('variable "managed_rules"'):]
    return {name.lower().replace("_", "-") for name in re.findall(r"^    ([A-Z0-9_]+)\s+= \{", body[:body.index("\n  }\n")], re.M)} | {"promises"}


class Table(unittest.TestCase):
    def hold(self, column, pattern, known, least):
        named = {name for row in rows() for name in re.findall(pattern, row[column])}
        self.assertGreaterEqual(len(named), least)
        self.assertEqual(set(), named - known)
        return named

    def test_resources_are_made(self):
        self.hold(2, r"`([a-z-]+\.aws_[a-z0-9_]+\.[a-z0-9_]+)`", resources(), 30)

    def test_resources_of_the_part_on_personal_data_are_made(self):
        named = set(re.findall(r"`([a-z-]+\.aws_[a-z0-9_]+\.[a-z0-9_]+)`", text(DOCS / "compliance.md")))
        self.assertEqual(set(), named - resources())

    def test_our_own_rules_are_there(self):
        rules = set(re.findall(r'@rule\("([a-z-]+)"', "\n".join(path.read_text() for path in POLICY.glob("*.py"))))
        self.hold(3, r"`([a-z]+(?:-[a-z]+)*)`", rules, 20)

    def test_rules_of_aws_config_are_there_and_none_is_left_out(self):
        named = self.hold(3, r"`config:([a-z0-9-]+)`", config_rules(), 15)
        self.assertEqual(set(), config_rules() - named, "rules that no control of the table needs")

    @unittest.skipUnless(CHECKOV.exists(), "checkov is missing: make setup-deploy installs it")
    def test_checks_of_checkov_are_there(self):
        files = [*(CHECKOV / "resource/aws").glob("*.py"), *(CHECKOV / "graph_checks/aws").rglob("*.*")]
        known = {found for path in files if path.suffix in (".py", ".json", ".yaml")
                 for found in re.findall(r"CKV2?_AWS_\d+", path.read_text(encoding="utf-8"))}
        self.hold(3, r"`(CKV2?_AWS_\d+)`", known, 15)

    def test_every_control_says_what_checks_it_or_that_nothing_does(self):
        for control, _, resource, check in rows():
            with self.subTest(control=control):
                self.assertTrue(resource and check)


if __name__ == "__main__":
    unittest.main()
