"""The managed rules that the module names exist, with the parameters that they must have: as moto's copy of AWS's list says."""
import gzip
import json
import pathlib
import re
import unittest

import moto.config

VARIABLES = (pathlib.Path(__file__).resolve().parents[1] / "variables.tf").read_text()
TEMPLATE = (pathlib.Path(__file__).resolve().parents[4] / "stacksets/config.yaml").read_text()
LIST = pathlib.Path(moto.config.__file__).parent / "resources/aws_managed_rules.json.gz"


class Rules(unittest.TestCase):
    def setUp(self):
        self.known = json.loads(gzip.decompress(LIST.read_bytes()))["ManagedRules"]

    def test_each_exists_and_has_what_it_needs(self):
        ours = re.findall(r"^    ([A-Z0-9_]+) += \{ why = .*$", VARIABLES, re.M)
        self.assertGreater(len(ours), 20)
        for rule in ours:
            with self.subTest(rule):
                self.assertIn(rule, self.known)
                line = re.search(r"^    %s += (.*)$" % rule, VARIABLES, re.M)[1]
                given = set(re.findall(r"(\w+) = \"", line.partition("parameters")[2]))
                parameters = {one["Name"]: one["Optional"] for one in self.known[rule].get("Parameters", []) if one}
                self.assertLessEqual({name for name, optional in parameters.items() if not optional}, given)
                self.assertLessEqual(given, set(parameters))

    def test_those_of_the_stack_set_too(self):
        ours = re.findall(r"SourceIdentifier: (\w+)", TEMPLATE)
        self.assertGreater(len(ours), 5)
        self.assertEqual([rule for rule in ours if rule not in self.known], [])


if __name__ == "__main__":
    unittest.main()
