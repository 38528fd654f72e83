#!/usr/bin/env python3
"""What sbom.py makes of a small project: run with python3 -m unittest discover -s deploy/image."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
except ImportError:
    JsonStrictValidator = None

SCRIPT = pathlib.Path(__file__).with_name("sbom.py")


def package(folder: pathlib.Path, name: str, licence: str | None, text: str | None) -> dict:
    """A crate on disk, as cargo metadata tells of it."""
    home = folder / name
    home.mkdir()
    if text:
        (home / "LICENSE-MIT").write_text(text)
    return {"id": name, "name": name, "version": "1.0.0", "license": licence, "manifest_path": str(home / "Cargo.toml")}


def dep(name: str, kind: str | None = None) -> dict:
    """A dependency of a node."""
    return {"pkg": name, "dep_kinds": [{"kind": kind}]}


class Sbom(unittest.TestCase):
    """One run of the script over a project of five crates."""

    def setUp(self) -> None:
        """Makes the project and runs the script twice."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        packages = [package(folder, "weir", "Apache-2.0", None), package(folder, "direct", "MIT/Apache-2.0", "the text"),
                    package(folder, "deep", "MIT", "the text"), package(folder, "builder", None, "another text"),
                    package(folder, "tester", "MIT", "a third text")]
        nodes = [{"id": "weir", "deps": [dep("direct"), dep("builder", "build"), dep("tester", "dev")]},
                 {"id": "direct", "deps": [dep("deep")]}]
        nodes += [{"id": name, "deps": []} for name in ("deep", "builder", "tester")]
        (folder / "metadata").write_text(json.dumps({"packages": packages, "resolve": {"nodes": nodes}}))
        (folder / "weir-binary").write_bytes(b"before rustc version 1.95.0 (x) after")
        outputs = []
        for run in "12":
            subprocess.run([sys.executable, SCRIPT, "--metadata", folder / "metadata", "--binary", folder / "weir-binary",
                            "--sbom", folder / f"sbom{run}", "--licences", folder / f"licences{run}"],
                           check=True, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
            outputs.append(((folder / f"sbom{run}").read_text(), (folder / f"licences{run}").read_text()))
        self.outputs = outputs
        self.bom, self.licences = json.loads(outputs[0][0]), outputs[0][1]

    def test_what_is_linked_is_listed_and_what_only_tests_use_is_not(self) -> None:
        self.assertEqual([part["name"] for part in self.bom["components"]], ["builder", "deep", "direct", "rust-std"])
        self.assertEqual(self.bom["metadata"]["component"]["version"], "1.0.0")

    def test_each_part_names_those_that_it_needs(self) -> None:
        needs = {entry["ref"]: entry["dependsOn"] for entry in self.bom["dependencies"]}
        self.assertEqual(needs["weir"], ["builder@1.0.0", "direct@1.0.0", "rust-std@1.95.0"])
        self.assertEqual(needs["direct@1.0.0"], ["deep@1.0.0"])
        known = {part["bom-ref"] for part in self.bom["components"]} | {"weir"}
        self.assertLessEqual({need for needed in needs.values() for need in needed}, known)

    @unittest.skipUnless(JsonStrictValidator, "cyclonedx-python-lib[json-validation] is not installed")
    def test_it_is_valid_and_a_fault_in_it_would_show(self) -> None:
        check = JsonStrictValidator(SchemaVersion.V1_5).validate_str
        self.assertIsNone(check(self.outputs[0][0]))
        self.assertIsNotNone(check(json.dumps(self.bom | {"serialNumber": "7"})))

    def test_its_time_is_the_commits(self) -> None:
        self.assertEqual(self.bom["metadata"]["timestamp"], "2023-11-14T22:13:20Z")

    def test_licences_are_expressions_and_their_texts_come_once(self) -> None:
        self.assertEqual(self.bom["components"][2]["licenses"], [{"expression": "MIT OR Apache-2.0"}])
        self.assertEqual(self.licences.count("the text"), 1)
        self.assertIn("deep 1.0.0, direct 1.0.0", self.licences)
        self.assertNotIn("third", self.licences)

    def test_two_runs_give_the_same_bytes(self) -> None:
        self.assertEqual(*self.outputs)


if __name__ == "__main__":
    unittest.main()
