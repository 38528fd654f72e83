"""The recovery of schemas: from bindings as small as can be, and no word lost."""
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "schema"))
import recover  # noqa: E402
import recover_aviatrix  # noqa: E402
import refresh  # noqa: E402

INPUTS = """
class PartArgs:
    def __init__(__self__, *, name: pulumi.Input[str], size: Optional[pulumi.Input[int]] = None): ...
"""
GATEWAY = """
class GatewayArgs:
    def __init__(__self__, *, vpc: pulumi.Input[str], zones: Optional[pulumi.Input[Sequence[pulumi.Input[str]]]] = None,
                 parts: Optional[pulumi.Input[Sequence[pulumi.Input['PartArgs']]]] = None): ...
class _GatewayState:
    def __init__(__self__, *, vpc: Optional[pulumi.Input[str]] = None, address: Optional[pulumi.Input[str]] = None): ...
"""


class Aviatrix(unittest.TestCase):
    def made(self):
        with mock.patch.object(recover, "used", return_value={("resource", "aviatrix_gateway")}):
            return recover_aviatrix.schema({"_inputs": INPUTS, "aviatrix_gateway": GATEWAY}.get)["resource"]["aviatrix_gateway"]

    def test_what_must_be_given(self):
        made = self.made()
        self.assertEqual({name for name, field in made.items() if field["required"]}, {"vpc"})
        self.assertEqual(made["zones"]["type"], ["list", "string"])

    def test_what_only_the_state_has_is_computed(self):
        self.assertEqual((self.made()["address"]["computed"], self.made()["address"]["optional"]), (True, False))

    def test_a_lost_underscore(self):
        text = "class PolicyArgs:\n    def __init__(__self__, *, domain_name1: pulumi.Input[str]): ..."
        self.assertIn("domain_name_1", recover_aviatrix.resource(text, {}))

    def test_what_the_provider_gained_since_stands_beside_it(self):
        uses = {("resource", "aviatrix_gateway"), ("resource", "aviatrix_dcf_ruleset"), ("data", "aviatrix_dcf_attachment_point")}
        with mock.patch.object(recover, "used", return_value=uses):
            made = recover_aviatrix.schema({"_inputs": INPUTS, "aviatrix_gateway": GATEWAY}.get)
        self.assertEqual(set(made["resource"]), {"aviatrix_gateway", "aviatrix_dcf_ruleset"})
        self.assertEqual(set(made["data"]), {"aviatrix_dcf_attachment_point"})

    def test_a_data_source_that_nobody_knows_is_named(self):
        with mock.patch.object(recover, "used", return_value={("data", "aviatrix_weather")}), self.assertRaisesRegex(SystemExit, "data aviatrix_weather"):
            recover_aviatrix.schema({"_inputs": INPUTS}.get)

    def test_a_block(self):
        parts = self.made()["parts"]
        self.assertEqual((parts["nest"], parts["fields"]["size"]["type"], parts["fields"]["name"]["required"]), ("list", "number", True))


class Refresh(unittest.TestCase):
    def test_other_bytes_are_refused(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(refresh.PACKAGES, aws=(["touch", "other.tgz"], "0" * 64)):
            with self.assertRaisesRegex(SystemExit, "other.tgz is not what it was"):
                refresh.fetch("aws", pathlib.Path(folder) / "aws")

    def test_a_type_that_nobody_knows_is_named(self):
        with self.assertRaisesRegex(SystemExit, "resource aws_new"):
            recover.complete({"resource": {}, "data": {}}, {("resource", "aws_new")})


if __name__ == "__main__":
    unittest.main()
