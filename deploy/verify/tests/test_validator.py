"""The function that holds configs against weir's schema."""
import base64
import importlib.util
import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


validator = load(ROOT / "deploy/terraform/modules/config-source/validator/validator.py")
validator.SCHEMA = ROOT / "config/weir.schema.json"


def ask(text):
    validator.handler({"content": base64.b64encode(text.encode()).decode()}, None)


class Validator(unittest.TestCase):
    def test_takes_every_config_of_the_project(self):
        paths = list((ROOT / "config").rglob("*.toml"))
        self.assertGreater(len(paths), 3)
        for path in paths:
            with self.subTest(path.name):
                ask(path.read_text())

    def test_refuses(self):
        for text, why in (("[listen]\nhttpx = 1", "there is no such key"), ("[listen]\nhttp = 3", "array is wanted"),
                          ('[flood]\nenabled = "yes"', "boolean is wanted"), ("nonsense", "no TOML"),
                          ("[[limit]]\nburst = 1", "is missing")):
            with self.subTest(text), self.assertRaisesRegex(ValueError, why):
                ask(text)

    def test_a_keyword_that_it_does_not_know_is_a_fault(self):
        with self.assertRaisesRegex(ValueError, "does not understand"):
            list(validator.faults({}, {"patternProperties": {}}))
