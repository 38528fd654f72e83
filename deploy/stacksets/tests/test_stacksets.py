"""The templates: held by cfn-lint, made as StackSets on moto, and their properties taken by each service's own API."""
import copy
import json
import logging
import os
import pathlib
import re
import unittest
import warnings

import boto3
import yaml
from cfnlint.api import lint_file
from moto import mock_aws

HERE = pathlib.Path(__file__).resolve().parents[1]
ACCOUNT, REGIONS = "123456789012", ("us-east-1", "eu-central-1")
os.environ.update(AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto", AWS_DEFAULT_REGION=REGIONS[0])
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
BUCKET = f"weir-audit-{ACCOUNT}"
PARAMETERS = {
    "roles": {"Prefix": "weir", "Repository": "weir-edge/weir", "Stage": "staging", "ProviderArn": ""},
    "trail": {"Prefix": "weir", "LogBucket": BUCKET, "LogKeyArn": KEY},
    "config": {"Prefix": "weir", "LogBucket": BUCKET, "LogKeyArn": KEY, "GlobalRegion": REGIONS[0]},
    "guardduty": {"Prefix": "weir", "RuntimeMonitoring": "DISABLED"}}


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: !Ref x becomes {"Ref": x}."""


def short_form(loader, tag, node):
    kind = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}[type(node)]
    value = kind(node, True) if kind == loader.construct_sequence else kind(node)
    return {"Ref" if tag == "Ref" else f"Fn::{tag}": value}


Loader.add_multi_constructor("!", short_form)


def template(name):
    return yaml.load((HERE / f"{name}.yaml").read_text(), Loader)


def resolved(value, names, conditions):
    """The intrinsic functions that our templates use, worked out."""
    if isinstance(value, list):
        return [resolved(one, names, conditions) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return names[value["Ref"]]
    if set(value) == {"Fn::Sub"}:
        return re.sub(r"\$\{([\w:]+)\}", lambda found: names[found[1]], value["Fn::Sub"])
    if set(value) == {"Fn::If"}:
        condition, yes, no = value["Fn::If"]
        return resolved(yes if conditions[condition] else no, names, conditions)
    if set(value) == {"Fn::Equals"}:
        one, other = resolved(value["Fn::Equals"], names, conditions)
        return one == other
    return {key: resolved(one, names, conditions) for key, one in value.items()}


def resources(name, region):
    """What a stack of the template holds in a Region: (logical name, type, properties)."""
    text = template(name)
    names = {**PARAMETERS[name], "AWS::Region": region, "AWS::Partition": "aws", "AWS::AccountId": ACCOUNT}
    conditions = {key: resolved(one, names, {}) for key, one in text.get("Conditions", {}).items()}
    return [(logical, one["Type"], resolved(one["Properties"], names, conditions)) for logical, one in text["Resources"].items()
            if conditions.get(one.get("Condition"), True)]


def lower(value):
    """Keys as AWS Config's API writes them: with a small letter first."""
    if isinstance(value, list):
        return [lower(one) for one in value]
    return {key[0].lower() + key[1:]: lower(one) for key, one in value.items()} if isinstance(value, dict) else value


def create(kind, properties, region):
    """Makes one resource by its service's own API, which checks every name and type."""
    given = copy.deepcopy(properties)
    given.pop("Tags", None)
    if kind == "AWS::GuardDuty::Detector":
        boto3.client("guardduty", region_name=region).create_detector(**given)
    elif kind == "AWS::CloudTrail::Trail":
        trail = boto3.client("cloudtrail", region_name=region)
        on, insights = given.pop("IsLogging"), given.pop("InsightSelectors")
        given = {{"TrailName": "Name", "KMSKeyId": "KmsKeyId"}.get(key, key): one for key, one in given.items()}
        trail.create_trail(**given)
        trail.put_insight_selectors(TrailName=given["Name"], InsightSelectors=insights)
        if on:
            trail.start_logging(Name=given["Name"])
    else:
        config = boto3.client("config", region_name=region)
        if kind == "AWS::Config::ConfigurationRecorder":
            config.put_configuration_recorder(ConfigurationRecorder={
                "name": given["Name"], "roleARN": given["RoleARN"], "recordingGroup": lower(given["RecordingGroup"])})
        elif kind == "AWS::Config::DeliveryChannel":
            channel = lower(given)
            config.put_delivery_channel(DeliveryChannel=channel)
        elif kind == "AWS::Config::ConfigRule":
            config.put_config_rule(ConfigRule=given)
        else:
            raise ValueError(f"{kind}: write down here by which call it is made")


class Templates(unittest.TestCase):
    def test_lint(self):
        paths = sorted(HERE.glob("*.yaml"))
        self.assertEqual([path.stem for path in paths], sorted(PARAMETERS))
        for path in paths:
            self.assertEqual([f"{one.linenumber}: {one.message}" for one in lint_file(path)], [], path.name)

    def test_every_parameter_is_bound_and_described(self):
        for name, given in PARAMETERS.items():
            for key, one in template(name)["Parameters"].items():
                with self.subTest(f"{name} {key}"):
                    self.assertTrue(one["Description"])
                    self.assertTrue("AllowedValues" in one or "ConstraintDescription" in one)
                    self.assertIn(key, given)
                    if "AllowedPattern" in one:
                        self.assertRegex(given[key], one["AllowedPattern"])
                        self.assertNotRegex("a b\n", one["AllowedPattern"])


class StackSets(unittest.TestCase):
    def setUp(self):
        # moto says of each type that its CloudFormation does not make it.
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)
        cloud = mock_aws()
        cloud.start()
        self.addCleanup(cloud.stop)
        self.formation = boto3.client("cloudformation")
        boto3.client("s3").create_bucket(Bucket=BUCKET)

    def lay_down(self, name, regions):
        self.formation.create_stack_set(
            StackSetName=f"weir-{name}", TemplateBody=(HERE / f"{name}.yaml").read_text(), Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS[name].items()])
        self.formation.create_stack_instances(StackSetName=f"weir-{name}", Accounts=[ACCOUNT], Regions=list(regions))
        told = self.formation.list_stack_instances(StackSetName=f"weir-{name}")["Summaries"]
        self.assertEqual({(one["Region"], one["Status"]) for one in told}, {(region, "CURRENT") for region in regions})

    def test_stacks_in_each_region(self):
        for name in ("config", "guardduty"):
            self.lay_down(name, REGIONS)
            for region in REGIONS:
                stacks = boto3.client("cloudformation", region_name=region).list_stacks()["StackSummaries"]
                self.assertIn(f"StackSet:weir-{name}", [stack["StackName"] for stack in stacks])
        self.formation.delete_stack_instances(StackSetName="weir-config", Accounts=[ACCOUNT], Regions=list(REGIONS), RetainStacks=False)
        self.assertEqual(self.formation.list_stack_instances(StackSetName="weir-config")["Summaries"], [])

    def test_roles_come_to_be(self):
        self.lay_down("roles", REGIONS[:1])
        iam = boto3.client("iam")
        for role, environment in (("plan", "plan-staging"), ("build", "build"), ("deploy", "staging")):
            told = iam.get_role(RoleName=f"weir-github-{role}")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
            subject = told["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
            self.assertEqual(subject, f"repo:weir-edge/weir:environment:{environment}")

    def test_who_deploys_can_make_nothing_but_its_lock(self):
        policies = template("roles")["Resources"]["DeployRole"]["Properties"]["Policies"]
        statements = {one["Sid"]: one for policy in policies for one in policy["PolicyDocument"]["Statement"]}
        lock = statements.pop("Lock")
        self.assertEqual(set(lock["Action"]), {"ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"})
        self.assertRegex(json.dumps(lock["Resource"]), r':parameter/\$\{Prefix\}\*/rollout-lock"')
        actions = re.findall(r'"([a-z0-9-]+:[A-Za-z*]+)"', json.dumps(statements))
        self.assertIn("elasticloadbalancing:ModifyListener", actions)
        self.assertEqual([one for one in actions if "*" in one or re.search(":(Delete|Create|Put)", one)], [])

    def test_properties_fit_the_services(self):
        for region in REGIONS:
            for name in ("trail", "config", "guardduty"):
                for logical, kind, properties in resources(name, region):
                    with self.subTest(f"{name}: {logical} in {region}"):
                        create(kind, properties, region)
        rules = {region: {rule["ConfigRuleName"] for rule in boto3.client("config", region_name=region).describe_config_rules()["ConfigRules"]}
                 for region in REGIONS}
        self.assertTrue(all(rule.startswith("weir-") for rule in rules[REGIONS[0]]), "the release gate finds them by that")
        self.assertEqual(rules[REGIONS[0]] - rules[REGIONS[1]], {"weir-no-administrators", "weir-root-second-factor"}, "IAM is judged once")
        recorder = boto3.client("config", region_name=REGIONS[1]).describe_configuration_recorders()["ConfigurationRecorders"][0]
        self.assertFalse(recorder["recordingGroup"]["includeGlobalResourceTypes"])
        trail = boto3.client("cloudtrail").describe_trails()["trailList"][0]
        self.assertTrue(trail["IsMultiRegionTrail"] and trail["LogFileValidationEnabled"] and trail["KmsKeyId"] == KEY)
        for region in REGIONS:
            guardduty = boto3.client("guardduty", region_name=region)
            detector = guardduty.get_detector(DetectorId=guardduty.list_detectors()["DetectorIds"][0])
            self.assertEqual(detector["FindingPublishingFrequency"], "FIFTEEN_MINUTES")


if __name__ == "__main__":
    unittest.main()
