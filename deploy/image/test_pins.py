#!/usr/bin/env python3
"""What the image is built in is one thing everywhere: run with python3 -m unittest discover -s deploy/image."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def found(pattern: str, file: str) -> str:
    """The first group of a pattern in a file of the project."""
    match = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert match, f"{file} has no line like {pattern}"
    return match[1]


class Pins(unittest.TestCase):
    """The base of the Dockerfile, beside those who name it too."""

    base = found(r"^FROM (\S+) AS build$", "deploy/image/Dockerfile")

    def test_the_base_is_named_by_its_digest(self) -> None:
        self.assertRegex(self.base, r"^rust:[^@]+@sha256:[0-9a-f]{64}$")

    def test_its_compiler_is_the_one_that_the_project_asks_for(self) -> None:
        wanted = found(r'^rust-version = "(.*)"', "Cargo.toml")
        self.assertTrue(self.base.startswith(f"rust:{wanted}-"), f"{self.base}, but Cargo.toml says {wanted}")

    def test_the_tests_run_in_what_the_image_is_built_in(self) -> None:
        self.assertEqual(found(r"^    container: (\S+)$", ".github/workflows/test.yml"), self.base)


if __name__ == "__main__":
    unittest.main()
