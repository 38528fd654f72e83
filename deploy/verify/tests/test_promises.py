"""The function that judges weir's own promises, against moto in this process."""
import json
import os
import unittest
from unittest import mock

import boto3
from moto import mock_aws

from test_validator import ROOT, load

PREFIX = "weir-test"
os.environ.update(AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto", AWS_DEFAULT_REGION="us-east-1")
promises = load(ROOT / "deploy/terraform/modules/audit/promises/promises.py")


class Promises(unittest.TestCase):
    def setUp(self):
        cloud = mock_aws()
        cloud.start()
        self.addCleanup(cloud.stop)
        ec2 = boto3.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"]["SubnetId"]
                   for n, z in enumerate("ab")]
        self.groups = {n: ec2.create_security_group(GroupName=f"{PREFIX}-{n}", Description="d", VpcId=vpc)["GroupId"]
                       for n in ("balancer", "weir", "backend", "store")}
        self.open("weir", "balancer")
        self.open("backend", "weir")
        elb = boto3.client("elbv2")
        self.arn = elb.create_load_balancer(Name=PREFIX, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        boto3.client("ecs").create_cluster(clusterName=PREFIX)

    def open(self, to, source):
        boto3.client("ec2").authorize_security_group_ingress(GroupId=self.groups[to], IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": self.groups[source]}]}])

    def guard(self, action):
        waf = boto3.client("wafv2")
        seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
        one = waf.create_ip_set(Name=f"{PREFIX}-ipv4-0", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=[])["Summary"]["ARN"]
        rule = {"Name": "ipv4", "Priority": 0, "Action": {action: {}}, "VisibilityConfig": seen,
                "Statement": {"IPSetReferenceStatement": {"ARN": one}}}
        acl = waf.create_web_acl(Name=PREFIX, Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[rule], VisibilityConfig=seen)
        waf.associate_web_acl(WebACLArn=acl["Summary"]["ARN"], ResourceArn=self.arn)

    def test_all_hold(self):
        self.guard("Block")
        self.assertEqual(promises.judge(PREFIX), [])

    def test_no_web_acl(self):
        self.assertEqual(promises.judge(PREFIX), ["no web ACL guards the load balancer"])

    def test_a_set_that_only_counts(self):
        self.guard("Count")
        self.assertEqual(promises.judge(PREFIX), ["rule ipv4 does not block"])

    def test_a_way_around_weir(self):
        self.guard("Block")
        self.open("backend", "balancer")
        self.assertEqual(promises.judge(PREFIX), ["backend can be reached from elsewhere than weir"])

    def test_the_answer(self):
        self.guard("Count")
        with mock.patch.dict(os.environ, PREFIX=PREFIX), mock.patch.object(promises.boto3, "client", wraps=boto3.client) as clients:
            config = mock.Mock()
            clients.side_effect = lambda name: config if name == "config" else boto3._get_default_session().client(name)
            promises.handler({"invokingEvent": json.dumps({"awsAccountId": "123456789012"}), "accountId": "123456789012", "resultToken": "t"}, None)
        said = config.put_evaluations.call_args.kwargs["Evaluations"][0]
        self.assertEqual(said["ComplianceType"], "NON_COMPLIANT")
        self.assertIn("does not block", said["Annotation"])
