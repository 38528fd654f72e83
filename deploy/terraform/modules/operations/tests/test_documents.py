"""The documents as SSM gets them, and their scripts run against moto in this process."""
import json
import os
import pathlib
import re
import unittest
from unittest import mock

import boto3
import jsonschema
import yaml
from moto import mock_aws

MODULE = pathlib.Path(__file__).resolve().parents[1]
PREFIX = "weir-test"
os.environ.update(AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto", AWS_DEFAULT_REGION="us-east-1")
VALUES = {"prefix": PREFIX, "cluster": PREFIX, "role": "arn:aws:iam::123456789012:role/weir-test-do",
          "sets.ipv4": f"{PREFIX}-ipv4-0", "sets.ipv6": f"{PREFIX}-ipv6-0", "jsonencode(source)": "{}"}
INPUTS = {"aws:executeScript": {"Runtime", "Handler", "Script"}, "aws:executeAwsApi": {"Service", "Api"},
          "aws:waitForAwsResourceProperty": {"Service", "Api", "PropertySelector", "DesiredValues"}}
# What AWS's documentation of schema 0.3 says, as far as our documents go; another key is an error there too.
TEXT, NAME = {"type": "string", "minLength": 1}, {"type": "string", "pattern": "^[a-zA-Z0-9_]{3,128}$"}
SCHEMA = {
    "type": "object", "additionalProperties": False, "required": ["schemaVersion", "description", "assumeRole", "parameters", "mainSteps"],
    "properties": {
        "schemaVersion": {"const": "0.3"}, "description": TEXT, "assumeRole": {"type": "string", "pattern": "^arn:aws:iam::"},
        "outputs": {"type": "array", "items": {"type": "string", "pattern": r"^\w+\.\w+$"}},
        "parameters": {"type": "object", "minProperties": 1, "additionalProperties": {
            "type": "object", "additionalProperties": False, "required": ["type", "description"],
            "properties": {"type": {"const": "String"}, "description": TEXT, "allowedPattern": TEXT,
                           "allowedValues": {"type": "array", "items": TEXT}, "default": {"type": "string"}},
            "oneOf": [{"required": ["allowedPattern"]}, {"required": ["allowedValues"]}]}},
        "mainSteps": {"type": "array", "minItems": 1, "items": {
            "type": "object", "additionalProperties": False, "required": ["name", "action", "inputs"],
            "properties": {"name": NAME, "action": {"enum": list(INPUTS)}, "inputs": {"type": "object"},
                           "timeoutSeconds": {"type": "integer"}, "isEnd": {"type": "boolean"},
                           "outputs": {"type": "array", "items": {
                               "type": "object", "additionalProperties": False, "required": ["Name", "Selector", "Type"],
                               "properties": {"Name": NAME, "Selector": {"pattern": r"^\$\."},
                                              "Type": {"enum": ["String", "Integer", "Boolean"]}}}}}}}}}


def rendered(path):
    """A document as Terraform's templatefile writes it."""
    def value(found):
        script = re.fullmatch(r"indent\(8, (\w+)\)", found[1])
        if script:
            return (MODULE / f"scripts/{script[1]}.py").read_text().replace("\n", "\n" + " " * 8)
        return VALUES[found[1]]
    return yaml.safe_load(re.sub(r"\$\{(.+?)\}", value, path.read_text()))


def script(name):
    """The function `run` of a script, as SSM calls it."""
    found = {}
    exec(compile((MODULE / f"scripts/{name}.py").read_text(), name, "exec"), found)
    return found


class Documents(unittest.TestCase):
    def test_each_fits_schema_0_3(self):
        paths = sorted((MODULE / "documents").glob("*.yaml"))
        self.assertEqual(len(paths), 6)
        for path in paths:
            with self.subTest(path.name):
                document = rendered(path)
                jsonschema.validate(document, SCHEMA)
                outputs = {f"{s['name']}.{o['Name']}" for s in document["mainSteps"] for o in s.get("outputs", [])}
                self.assertEqual(outputs, set(document.get("outputs", [])))
                asked = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(document)))
                self.assertEqual(asked, set(document["parameters"]), "each parameter is used, and no other")
                for step in document["mainSteps"]:
                    self.assertLessEqual(INPUTS[step["action"]], set(step["inputs"]))
                    if "Script" in step["inputs"]:
                        compile(step["inputs"]["Script"], path.name, "exec")

    def test_patterns_let_nothing_odd_through(self):
        for name, parameter, good, bad in (
                ("block", "Network", ("192.0.2.7", "198.51.100.0/24", "2001:db8::/48"), ("", "0", "x; rm", "192.0.2.7/1000")),
                ("drain", "Task", ("0" * 32,), ("task/1", "")), ("scale", "Tasks", ("1", "99", "200"), ("0", "201", "-1", "1.5")),
                ("scale", "Service", (f"{PREFIX}-blue",), ("shop", f"{PREFIX}-blue; x"))):
            pattern = rendered(MODULE / f"documents/{name}.yaml")["parameters"][parameter]["allowedPattern"]
            for text in good:
                self.assertRegex(text, pattern)
            for text in bad:
                self.assertNotRegex(text, pattern)


class Cloud(unittest.TestCase):
    def setUp(self):
        cloud = mock_aws()
        cloud.start()
        self.addCleanup(cloud.stop)


class Block(Cloud):
    def setUp(self):
        super().setUp()
        self.waf = boto3.client("wafv2")
        for family in (4, 6):
            self.waf.create_ip_set(Name=f"{PREFIX}-ipv{family}-0", Scope="REGIONAL", IPAddressVersion=f"IPV{family}",
                                   Description="Bans of weir", Addresses=["192.0.2.1/32"] if family == 4 else [])
        self.script = script("block")

    def do(self, what, network):
        return self.script["run"]({"do": what, "network": network, "ipv4": f"{PREFIX}-ipv4-0", "ipv6": f"{PREFIX}-ipv6-0"}, None)

    def held(self, family=4):
        one = next(s for s in self.waf.list_ip_sets(Scope="REGIONAL")["IPSets"] if s["Name"] == f"{PREFIX}-ipv{family}-0")
        return self.waf.get_ip_set(Name=one["Name"], Id=one["Id"], Scope="REGIONAL")["IPSet"]

    def test_blocks_and_frees_and_leaves_the_rest(self):
        self.assertTrue(self.do("block", "198.51.100.7")["changed"])
        self.assertEqual(sorted(self.held()["Addresses"]), ["192.0.2.1/32", "198.51.100.7/32"])
        self.assertEqual(self.held()["Description"], "Bans of weir")
        self.assertFalse(self.do("block", "198.51.100.7/32")["changed"])
        self.assertTrue(self.do("unblock", "198.51.100.7")["changed"])
        self.assertFalse(self.do("unblock", "198.51.100.7")["changed"])
        self.assertEqual(self.held()["Addresses"], ["192.0.2.1/32"])

    def test_the_family_chooses_the_set(self):
        self.assertEqual(self.do("block", "2001:db8:1::/48")["set"], f"{PREFIX}-ipv6-0")
        self.assertEqual(self.held(6)["Addresses"], ["2001:db8:1::/48"])

    def test_refuses_what_hurts(self):
        for network, why in (("0.0.0.0/0", "too wide"), ("198.51.100.0/15", "too wide"), ("10.1.2.3", "not an address of the internet"),
                             ("2001::/16", "too wide"), ("nonsense", "does not appear")):
            with self.subTest(network), self.assertRaisesRegex(ValueError, why):
                self.do("block", network)

    def test_a_write_in_between_is_kept(self):
        of = {"Name": f"{PREFIX}-ipv4-0", "Id": self.held()["Id"], "Scope": "REGIONAL"}
        real, calls = self.waf.get_ip_set, []

        def read(**asked):
            found = real(**asked)
            calls.append(1)
            if len(calls) == 1:  # weir writes right after our read
                self.waf.update_ip_set(**of, Addresses=["192.0.2.1/32", "203.0.113.9/32"], LockToken=found["LockToken"])
            return found
        client = mock.Mock(wraps=self.waf, exceptions=self.waf.exceptions, get_ip_set=read)
        with mock.patch("boto3.client", return_value=client), mock.patch("time.sleep"):
            self.do("block", "198.51.100.7")
        self.assertEqual(sorted(self.held()["Addresses"]), ["192.0.2.1/32", "198.51.100.7/32", "203.0.113.9/32"])

    def test_a_full_set_and_a_missing_one(self):
        of = {"Name": f"{PREFIX}-ipv4-0", "Id": self.held()["Id"], "Scope": "REGIONAL"}
        full = [f"198.18.{n // 250}.{n % 250}/32" for n in range(10000)]
        self.waf.update_ip_set(**of, Addresses=full, LockToken=self.waf.get_ip_set(**of)["LockToken"])
        with self.assertRaisesRegex(RuntimeError, "is full"):
            self.do("block", "198.51.100.7")
        with self.assertRaisesRegex(ValueError, "there is no IP set elsewhere"):
            self.script["run"]({"do": "block", "network": "192.0.2.7", "ipv4": "elsewhere", "ipv6": ""}, None)


class Services(Cloud):
    def setUp(self):
        super().setUp()
        self.ecs, self.scaling = boto3.client("ecs"), boto3.client("application-autoscaling")
        self.ecs.create_cluster(clusterName=PREFIX)
        self.ecs.register_task_definition(family=PREFIX, containerDefinitions=[{"name": "weir", "image": "weir", "memory": 64}])
        self.ecs.create_service(cluster=PREFIX, serviceName=f"{PREFIX}-blue", taskDefinition=PREFIX, desiredCount=3)

    def scale(self, tasks):
        return script("scale")["run"]({"cluster": PREFIX, "service": f"{PREFIX}-blue", "tasks": tasks}, None)

    def wanted(self):
        return self.ecs.describe_services(cluster=PREFIX, services=[f"{PREFIX}-blue"])["services"][0]["desiredCount"]

    def target(self):
        return self.scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]

    def test_scale_sets_the_floor(self):
        self.scaling.register_scalable_target(
            ServiceNamespace="ecs", ScalableDimension="ecs:service:DesiredCount", ResourceId=f"service/{PREFIX}/{PREFIX}-blue",
            MinCapacity=3, MaxCapacity=20)
        self.assertEqual(self.scale("12"), {"before": 3, "now": 12})
        self.assertEqual((self.wanted(), self.target()["MinCapacity"], self.target()["MaxCapacity"]), (12, 12, 20))
        self.scale("3")
        self.assertEqual((self.wanted(), self.target()["MinCapacity"]), (12, 3), "autoscaling takes tasks away, not we")
        with self.assertRaisesRegex(ValueError, "above 20, the maximum"):
            self.scale("21")

    def test_scale_without_autoscaling(self):
        self.scale("5")
        self.assertEqual(self.wanted(), 5)

    def test_scale_of_nothing(self):
        with self.assertRaisesRegex(ValueError, "there is no service"):
            script("scale")["run"]({"cluster": PREFIX, "service": f"{PREFIX}-none", "tasks": "5"}, None)

    def drain(self, group, running=3):
        ecs = mock.Mock()
        ecs.describe_tasks.return_value = {"tasks": [{"group": group}] if group is not None else []}
        ecs.describe_services.return_value = {"services": [{"runningCount": running}]}
        with mock.patch("boto3.client", return_value=ecs):
            script("drain")["run"]({"cluster": PREFIX, "task": "0" * 32, "prefix": PREFIX, "by": "1"}, None)
        return ecs.stop_task.call_args

    def test_drain(self):
        self.assertEqual(self.drain(f"service:{PREFIX}-blue").kwargs["task"], "0" * 32)
        for group, running, why in ((None, 3, "there is no task"), ("service:shop", 3, "belongs to shop"), ("", 3, "no service"),
                                    (f"service:{PREFIX}-blue", 1, "the only task")):
            with self.subTest(group), self.assertRaisesRegex((ValueError, RuntimeError), why):
                self.drain(group, running)


class KillSwitch(Cloud):
    def test_parameter_there_and_back(self):
        ssm = boto3.client("ssm")
        name = f"/{PREFIX}/config"
        ssm.put_parameter(Name=name, Value="enforce", Type="String")
        ssm.put_parameter(Name=f"{name}-observe", Value="observe", Type="String")

        def switch(to):
            script("kill_switch")["run"]({"switch": to, "source": {"parameter": name}}, None)
            return ssm.get_parameter(Name=name)["Parameter"]["Value"]
        self.assertEqual(switch("off"), "enforce")
        self.assertEqual(switch("on"), "observe")
        self.assertEqual(switch("on"), "observe")
        self.assertEqual(switch("off"), "enforce")
        ssm.put_parameter(Name=name, Value="tuned", Type="String", Overwrite=True)
        switch("on")
        self.assertEqual(switch("off"), "tuned", "back to the last, not to the first")

    def test_appconfig(self):
        source = {"parameter": "", "application": "a", "environment": "e", "profile": "p", "strategy": "s", "key": "k",
                  "enforce": "7", "observe": "8"}
        appconfig = mock.Mock()
        appconfig.list_deployments.return_value = {"Items": [
            {"State": "BAKING", "DeploymentNumber": 4, "ConfigurationVersion": "9"},
            {"State": "COMPLETE", "DeploymentNumber": 3, "ConfigurationVersion": "7"}]}
        appconfig.start_deployment.side_effect = lambda **asked: asked
        model = boto3.client("appconfig").meta.service_model
        with mock.patch("boto3.client", return_value=appconfig):
            said = script("kill_switch")["run"]({"switch": "on", "source": source}, None)
        self.assertEqual(said, {"before": "7", "now": "8"})
        self.assertEqual(appconfig.stop_deployment.call_args.kwargs["DeploymentNumber"], 4, "one at a time is all that AppConfig takes")
        for call, operation in ((appconfig.stop_deployment, "StopDeployment"), (appconfig.start_deployment, "StartDeployment")):
            shape = model.operation_model(operation).input_shape
            self.assertLessEqual(set(call.call_args.kwargs), set(shape.members))
            self.assertLessEqual(set(shape.required_members), set(call.call_args.kwargs))


if __name__ == "__main__":
    unittest.main()
