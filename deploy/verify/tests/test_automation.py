"""The runner of SSM documents finds what Systems Manager would refuse."""
import unittest

from lib import terraform as tf
from lib.automation import Automation

DOCUMENT = """
parameters:
  Switch: {type: String, allowedValues: ["on", "off"]}
  Tasks: {type: String, allowedPattern: "^[0-9]$", default: "1"}
mainSteps:
  - name: first
    action: aws:executeScript
    inputs:
      Handler: run
      InputPayload: {switch: "{{ Switch }}", text: "tasks {{ Tasks }}"}
      Script: |
        def run(events, context):
            return {"said": events["switch"], "text": events["text"]}
    outputs:
      - {Name: said, Selector: "$.Payload.said", Type: String}
"""


class Ssm:
    """Only what the runner asks for."""

    def __init__(self, text):
        self.text = text

    def client(self, _service):
        return self

    def get_document(self, Name):
        return {"Content": self.text}

    def environment(self):
        return {}


def run(text=DOCUMENT, **given):
    return Automation(Ssm(text), "weir-test").run(**given)


class Document(unittest.TestCase):
    def test_values_reach_the_script(self):
        self.assertEqual(run(Switch="on", Tasks="3"), {"first": {"said": "on", "text": "tasks 3"}})

    def refuses(self, what, text=DOCUMENT, **given):
        with self.assertRaisesRegex(tf.Failed, what):
            run(text, **given)

    def test_a_value_that_is_not_allowed(self):
        self.refuses("Switch: 'perhaps'", Switch="perhaps")
        self.refuses("Tasks: 'many'", Switch="on", Tasks="many")

    def test_a_parameter_that_is_missing_or_unknown(self):
        self.refuses("Switch: None")
        self.refuses("no parameter Other", Switch="on", Other="1")

    def test_on_that_is_not_quoted_is_a_truth(self):
        self.refuses("Switch: 'on'", DOCUMENT.replace('["on", "off"]', "[on, off]"), Switch="on")

    def test_a_script_that_fails(self):
        self.refuses("NameError", DOCUMENT.replace('return {"said"', 'return nothing["said"] or {"said"'), Switch="on")

    def test_an_output_that_the_script_does_not_give(self):
        self.refuses("gives no said", DOCUMENT.replace("Payload.said", "Payload.done"), Switch="on")

    def test_an_action_that_nobody_runs(self):
        self.refuses("nothing here runs aws:sleep", DOCUMENT.replace("aws:executeScript", "aws:sleep"), Switch="on")


if __name__ == "__main__":
    unittest.main()
