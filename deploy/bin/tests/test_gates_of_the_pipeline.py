"""compliance, drift and plan-report: each against answers as AWS and Terraform give them."""

import json
import unittest

import boto3
from botocore.stub import Stubber

from .script import DEPLOY, load

compliance, drift, plan_report = load("bin/compliance"), load("stacksets/drift"), load("bin/plan-report")
PRICES = json.loads((DEPLOY / "bin/prices.json").read_text())


def client(service: str) -> tuple:
    """A client that answers what a test writes, in its order."""
    made = boto3.client(service, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
    return made, Stubber(made)


class Compliance(unittest.TestCase):
    """What is not green is named, with its resources."""

    def test_only_our_rules_are_asked_for(self) -> None:
        config, answers = client("config")
        answers.add_response("describe_config_rules", {"ConfigRules": [
            {"ConfigRuleName": name, "Source": {"Owner": "AWS", "SourceIdentifier": "X"}} for name in ("weir-b", "other", "weir-a")]})
        with answers:
            self.assertEqual(compliance.rules(config, "weir"), ["weir-a", "weir-b"])

    def test_broken_rules_and_those_never_looked_at_are_faults(self) -> None:
        config, answers = client("config")
        kinds = {"weir-a": "COMPLIANT", "weir-b": "NON_COMPLIANT", "weir-c": "INSUFFICIENT_DATA", "weir-d": "NOT_APPLICABLE"}
        answers.add_response("describe_compliance_by_config_rule", {"ComplianceByConfigRules": [
            {"ConfigRuleName": name, "Compliance": {"ComplianceType": kind}} for name, kind in kinds.items()]})
        answers.add_response("get_compliance_details_by_config_rule", {"EvaluationResults": [
            {"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
                "ConfigRuleName": "weir-b", "ResourceType": "AWS::S3::Bucket", "ResourceId": "open"}}}]})
        with answers:
            self.assertEqual(compliance.faults(config, [*kinds, "weir-e"]), [
                "weir-e: AWS Config says nothing of it",
                "weir-b: AWS::S3::Bucket open", "weir-c: never evaluated, or has nothing to look at"])


class Drift(unittest.TestCase):
    """CloudFormation is asked, waited for, and read."""

    def test_stacks_that_differ_or_were_not_looked_at_are_named(self) -> None:
        formation, answers = client("cloudformation")
        answers.add_response("list_stack_sets", {"Summaries": [{"StackSetName": "weir-trail"}, {"StackSetName": "other"}]})
        answers.add_response("detect_stack_set_drift", {"OperationId": "1"})
        for status in ("RUNNING", "SUCCEEDED"):
            answers.add_response("describe_stack_set_operation", {"StackSetOperation": {"Status": status}})
        answers.add_response("list_stack_instances", {"Summaries": [
            {"Account": "111122223333", "Region": "eu-central-1", "DriftStatus": "DRIFTED"},
            {"Account": "111122223333", "Region": "us-east-1", "DriftStatus": "IN_SYNC"},
            {"Account": "444455556666", "Region": "us-east-1"}]})
        waits: list[float] = []
        with answers:
            self.assertEqual(drift.names(formation, "weir"), ["weir-trail"])
            self.assertEqual(drift.detect(formation, "weir-trail", 60, waits.append), "SUCCEEDED")
            self.assertEqual(drift.drifted(formation, "weir-trail"), [
                "weir-trail: account 111122223333, eu-central-1: DRIFTED",
                "weir-trail: account 444455556666, us-east-1: NOT_CHECKED"])
        self.assertEqual(waits, [10])

    def test_a_look_that_takes_too_long_is_no_good_news(self) -> None:
        formation, answers = client("cloudformation")
        answers.add_response("detect_stack_set_drift", {"OperationId": "1"})
        for _ in range(2):
            answers.add_response("describe_stack_set_operation", {"StackSetOperation": {"Status": "RUNNING"}})
        with answers:
            self.assertEqual(drift.detect(formation, "weir-trail", 20, lambda _: None), "TOO SLOW")


def change(kind: str, actions: list[str], before: dict | None = None, after: dict | None = None) -> dict:
    """A line of a plan."""
    return {"address": f"{kind}.this", "type": kind, "mode": "managed",
            "change": {"actions": actions, "before": before, "after": after}}


class PlanReport(unittest.TestCase):
    """The comment on a pull request."""

    def words(self, *found: dict) -> tuple[str, bool]:
        return plan_report.report("staging", {"resource_changes": list(found)}, PRICES)

    def test_nothing(self) -> None:
        text, fine = self.words(change("aws_lb", ["no-op"], {}, {}))
        self.assertTrue(fine)
        self.assertIn("Nothing changes", text)

    def test_changes_and_their_cost(self) -> None:
        text, fine = self.words(change("aws_ecs_service", ["update"], {"desired_count": 2}, {"desired_count": 4}),
                                change("aws_lb", ["create"], None, {}), change("aws_nat_gateway", ["delete"], {}, None))
        self.assertTrue(fine)
        for part in ("1 × `+`", "1 × `-`", "1 × `~`", "| aws_ecs_service | +72.08 |", "| aws_nat_gateway | -32.85 |", "| all | +55.66 |"):
            self.assertIn(part, text)

    def test_data_that_would_be_lost_stops_the_merge(self) -> None:
        for actions in (["delete"], ["delete", "create"]):
            text, fine = self.words(change("aws_s3_bucket", actions, {}, {}))
            self.assertFalse(fine)
            self.assertIn("destroy what holds data:** `aws_s3_bucket.this`", text)


if __name__ == "__main__":
    unittest.main()
