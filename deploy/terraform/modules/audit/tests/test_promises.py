"""The function that judges weir's own promises, against moto in this process: each promise is kept, then broken."""
import functools
import importlib.util
import json
import os
import pathlib
import unittest
from unittest import mock

import boto3
from moto import mock_aws

PREFIX = "weir-test"
os.environ.update(AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto", AWS_DEFAULT_REGION="us-east-1")
PATH = pathlib.Path(__file__).resolve().parents[1] / "promises/promises.py"
SPEC = importlib.util.spec_from_file_location("promises", PATH)
promises = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(promises)
SEEN = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
CONTAINER = {"name": "weir", "image": "weir:1", "memory": 64, "readonlyRootFilesystem": True, "user": "65532", "privileged": False}


# One client a service for all tests: to make one takes longer than what is asked by it.
CLIENT = functools.cache(boto3.client)


class Promises(unittest.TestCase):
    """Everything as Terraform builds it."""

    def setUp(self):
        cloud = mock_aws()
        cloud.start()
        self.addCleanup(cloud.stop)
        clients = mock.patch.object(boto3, "client", CLIENT)
        clients.start()
        self.addCleanup(clients.stop)
        self.ec2, self.elb, self.waf, self.ecs, self.logs = map(boto3.client, ("ec2", "elbv2", "wafv2", "ecs", "logs"))
        self.network()
        self.balancer()
        self.web_acl("Block")
        self.ecs.create_cluster(clusterName=PREFIX)
        self.ecs.register_task_definition(family=PREFIX, containerDefinitions=[CONTAINER])
        for name in ("blue", "green", "backend"):
            self.ecs.create_service(cluster=PREFIX, serviceName=f"{PREFIX}-{name}", taskDefinition=PREFIX, desiredCount=0)
        self.logs.create_log_group(logGroupName=f"/{PREFIX}/weir", kmsKeyId="arn:aws:kms:us-east-1:123456789012:key/k")
        self.logs.put_retention_policy(logGroupName=f"/{PREFIX}/weir", retentionInDays=90)

    def network(self):
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"]["SubnetId"]
                        for n, z in enumerate("ab")]
        self.groups = {n: self.ec2.create_security_group(GroupName=f"{PREFIX}-{n}", Description="d", VpcId=self.vpc)["GroupId"]
                       for n in ("balancer", "weir", "backend", "store")}
        for to, source in (("weir", "balancer"), ("backend", "weir"), ("store", "weir")):
            self.open(to, source)

    def open(self, to, source):
        self.ec2.authorize_security_group_ingress(GroupId=self.groups[to], IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": self.groups[source]}]}])

    def target(self, name):
        return self.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]

    def balancer(self):
        self.arn = self.elb.create_load_balancer(Name=PREFIX, Subnets=self.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        self.attribute(**{key: sorted(wanted)[0] for key, (wanted, _) in promises.ATTRIBUTES.items()})
        shares = [{"TargetGroupArn": self.target(f"{PREFIX}-{colour}"), "Weight": 1} for colour in ("blue", "green")]
        certificate = boto3.client("acm").request_certificate(DomainName="weir.example")["CertificateArn"]
        self.secure = self.elb.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}],
            SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
            DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}])["Listeners"][0]["ListenerArn"]
        self.plain = self.elb.create_listener(LoadBalancerArn=self.arn, Protocol="HTTP", Port=80, DefaultActions=[
            {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}])["Listeners"][0]["ListenerArn"]

    def attribute(self, **values):
        self.elb.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=[{"Key": k, "Value": v} for k, v in values.items()])

    def web_acl(self, action):
        self.set = self.waf.create_ip_set(Name=f"{PREFIX}-ipv4-0", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=[])["Summary"]["ARN"]
        acl = self.waf.create_web_acl(Name=PREFIX, Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=self.rules(action), VisibilityConfig=SEEN)["Summary"]
        self.acl = acl
        self.waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=self.arn)
        self.waf.put_logging_configuration(LoggingConfiguration={
            "ResourceArn": acl["ARN"], "LogDestinationConfigs": [f"arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-{PREFIX}"]})

    def rules(self, action):
        return [{"Name": "ipv4", "Priority": 0, "Action": {action: {}}, "VisibilityConfig": SEEN,
                 "Statement": {"IPSetReferenceStatement": {"ARN": self.set}}}]

    def change_acl(self, rules):
        of = {"Name": PREFIX, "Scope": "REGIONAL", "Id": self.acl["Id"]}
        token = self.waf.get_web_acl(**of)["LockToken"]
        self.waf.update_web_acl(**of, DefaultAction={"Allow": {}}, Rules=rules, VisibilityConfig=SEEN, LockToken=token)

    def broken(self, *expected):
        self.assertEqual(promises.judge(PREFIX), list(expected))

    def test_all_hold(self):
        self.broken()

    def test_no_web_acl(self):
        self.waf.disassociate_web_acl(ResourceArn=self.arn)
        self.broken("no web ACL guards the load balancer")

    def test_a_set_that_only_counts(self):
        self.change_acl(self.rules("Count"))
        self.broken("rule ipv4 does not block")

    def test_a_set_that_is_not_used(self):
        self.waf.create_ip_set(Name=f"{PREFIX}-ipv6-0", Scope="REGIONAL", IPAddressVersion="IPV6", Addresses=[])
        self.broken(f"the web ACL does not use weir's set {PREFIX}-ipv6-0")

    def test_no_log_of_the_web_acl(self):
        self.waf.delete_logging_configuration(ResourceArn=self.acl["ARN"])
        self.broken("the web ACL writes no log")

    def test_attributes(self):
        for key, (wanted, meaning) in promises.ATTRIBUTES.items():
            with self.subTest(key):
                self.attribute(**{key: "monitor" if "mode" in key and "desync" in key else "remove" if "mode" in key else "false"})
                self.broken(f"the load balancer {meaning} ({key})")
                self.attribute(**{key: sorted(wanted)[0]})

    def test_requests_without_tls(self):
        self.elb.modify_listener(ListenerArn=self.plain, DefaultActions=[
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}])
        self.broken("port 80 passes requests without TLS")

    def test_an_old_policy(self):
        self.elb.modify_listener(ListenerArn=self.secure, SslPolicy="ELBSecurityPolicy-2016-08")
        self.broken("port 443 takes TLS by an old policy, ELBSecurityPolicy-2016-08")

    def test_a_rule_past_weir(self):
        self.elb.create_rule(ListenerArn=self.secure, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/api/*"]}],
                             Actions=[{"Type": "forward", "TargetGroupArn": self.target("backend-itself")}])
        self.broken("port 443 leads past weir, to backend-itself")

    def test_a_way_around_weir(self):
        self.open("backend", "balancer")
        self.broken("backend can be reached from elsewhere than weir")

    def test_people_on_call_only_where_they_were_declared(self):
        people = self.ec2.create_security_group(GroupName="people", Description="d", VpcId=self.vpc)["GroupId"]
        def let_in(port):
            self.ec2.authorize_security_group_ingress(GroupId=self.groups["weir"], IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": people}]}])
        let_in(9901)
        self.broken("weir can be reached from elsewhere than balancer")
        self.assertEqual(promises.judge(PREFIX, promises.Declared(operators=(people,))), [])
        let_in(8080)
        self.assertEqual(promises.judge(PREFIX, promises.Declared(operators=(people,))), ["weir can be reached from elsewhere than balancer"])

    def test_gateways_only_where_they_were_declared(self):
        self.ec2.authorize_security_group_ingress(GroupId=self.groups["weir"], IpPermissions=[
            {"IpProtocol": "udp", "FromPort": 5140, "ToPort": 5140, "IpRanges": [{"CidrIp": "192.0.2.0/28"}]}])
        self.broken("weir can be reached from elsewhere than balancer")
        said = {"GATEWAYS": "192.0.2.0/28,198.51.100.0/28", "SYSLOG_PORT": "5140"}
        self.assertEqual(promises.judge(PREFIX, promises.Declared.read(said)), [])
        for other in ({"GATEWAYS": "198.51.100.0/28"}, {"SYSLOG_PORT": "5514"}):
            self.assertEqual(promises.judge(PREFIX, promises.Declared.read(said | other)), ["weir can be reached from elsewhere than balancer"])

    def test_a_group_open_to_everybody(self):
        self.ec2.authorize_security_group_ingress(GroupId=self.groups["weir"], IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
        self.broken("weir can be reached from elsewhere than balancer")

    def test_tasks(self):
        self.ecs.register_task_definition(family="soft", containerDefinitions=[
            {**CONTAINER, "readonlyRootFilesystem": False, "user": "0:0", "privileged": True}])
        self.ecs.update_service(cluster=PREFIX, service=f"{PREFIX}-green", taskDefinition="soft")
        self.broken(*(f"container weir of {PREFIX}-green {what}" for what in ("is privileged", "may write to its root", "runs as root")))

    def test_a_service_that_is_gone(self):
        self.ecs.delete_service(cluster=PREFIX, service=f"{PREFIX}-green", force=True)
        self.broken(f"the service {PREFIX}-green is gone")

    def test_log_groups(self):
        self.logs.create_log_group(logGroupName=f"aws-waf-logs-{PREFIX}")
        self.broken(f"log group aws-waf-logs-{PREFIX} is kept for ever",
                    f"log group aws-waf-logs-{PREFIX} is not encrypted with our key")

    def test_everything_is_gone(self):
        told = promises.judge("weir-none")
        for what in ("the load balancer is gone", "the security group weir-none-weir is gone", "the cluster weir-none is gone"):
            self.assertIn(what, told)

    def answer(self, judge=None):
        config = mock.Mock()
        client = promises.boto3.client
        with mock.patch.dict(os.environ, PREFIX=PREFIX), mock.patch.object(promises, "judge", judge or promises.judge), \
                mock.patch.object(promises.boto3, "client", lambda name: config if name == "config" else client(name)), \
                mock.patch("builtins.print"):
            promises.handler({"invokingEvent": json.dumps({"awsAccountId": "123456789012"}), "accountId": "123456789012", "resultToken": "t"}, None)
        asked = config.put_evaluations.call_args.kwargs
        shape = client("config").meta.service_model.operation_model("PutEvaluations").input_shape
        self.assertLessEqual(set(asked), set(shape.members))
        return asked["Evaluations"][0]

    def test_the_answer(self):
        self.assertEqual(self.answer()["ComplianceType"], "COMPLIANT")
        self.change_acl(self.rules("Count"))
        said = self.answer()
        self.assertEqual(said["ComplianceType"], "NON_COMPLIANT")
        self.assertIn("does not block", said["Annotation"])

    def test_an_answer_is_never_too_long_and_an_error_is_not_compliant(self):
        self.assertEqual(len(self.answer(lambda prefix, declared: ["x" * 500])["Annotation"]), 256)
        denied = mock.Mock(side_effect=promises.ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeRules"))
        said = self.answer(denied)
        self.assertEqual(said["ComplianceType"], "NON_COMPLIANT")
        self.assertIn("could not be judged", said["Annotation"])


if __name__ == "__main__":
    unittest.main()
