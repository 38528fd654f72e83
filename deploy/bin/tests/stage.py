"""A load balancer, two services and alarms in an emulated AWS, with tasks that start and a clock that does not wait."""

import datetime
import io
import os
import unittest

import boto3
from moto import mock_aws

from rolling import target as targets
from rolling.balancer import Balancer
from rolling.fleet import Fleet
from rolling.gates import Gates, Limits
from rolling.journey import Journey, Plan
from rolling.lock import Lock
from rolling.show import Show

REGION = "eu-central-1"
# Nobody starts a machine here, and moto reads thousands of images at each reset otherwise.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
SESSION = boto3.Session("test", "test", region_name=REGION)
QUICK = Plan(steps=(5, 25, 50, 100), bake=(30, 30, 30, 30), start_within=60)
SHORT = Plan(steps=(50, 100), bake=(5, 5), start_within=60)  # where nothing happens on the way


def client(service: str):
    """A client of its own for each test, as some tests break theirs; what AWS's models say is read once."""
    return SESSION.client(service)


class Clock:
    """Time that passes when somebody sleeps; what is planned for a moment happens then."""

    def __init__(self) -> None:
        self.time = 0.0
        self.start = datetime.datetime.now(datetime.timezone.utc)
        self.planned: list = []

    def now(self) -> float:
        return self.time

    def wall(self) -> datetime.datetime:
        return self.start + datetime.timedelta(seconds=self.time)

    def sleep(self, seconds: float) -> None:
        end = self.time + seconds
        for moment, deed in sorted((p for p in self.planned if p[0] <= end), key=lambda p: p[0]):
            self.planned.remove((moment, deed))
            self.time = max(self.time, moment)
            deed()
        self.time = end

    def at(self, moment: float, deed) -> None:
        """Plans something."""
        self.planned.append((moment, deed))


class Ecs:
    """moto's ECS, whose tasks never start; these do, and are registered at the load balancer."""

    def __init__(self, client, elb, groups: dict[str, str]) -> None:
        self.client, self.elb, self.groups = client, elb, groups
        self.broken: set[str] = set()   # services whose tasks do not come up
        self.given_up: set[str] = set()

    def __getattr__(self, name: str):
        return getattr(self.client, name)

    def update_service(self, **words):
        told = self.client.update_service(**words)
        if words["service"] not in self.broken:
            # moto knows a task by an instance's id; any text will do for its health.
            self.elb.register_targets(TargetGroupArn=self.groups[words["service"]], Targets=[
                {"Id": f"10.0.0.{at + 1}", "Port": 8080} for at in range(words["desiredCount"])])
        return told

    def stop(self, service: str) -> None:
        """All of its tasks are gone."""
        self.broken.add(service)
        targets = [health["Target"] for health in self.elb.describe_target_health(
            TargetGroupArn=self.groups[service])["TargetHealthDescriptions"]]
        self.elb.deregister_targets(TargetGroupArn=self.groups[service], Targets=targets)

    def describe_services(self, **words):
        told = self.client.describe_services(**words)
        for service in told["services"]:
            count = 0 if service["serviceName"] in self.broken else service["desiredCount"]
            for part in (service, *service["deployments"]):
                part["runningCount"] = count
            if service["serviceName"] in self.given_up:
                service["deployments"][0]["rolloutState"] = "FAILED"
        return told


class Stage(unittest.TestCase):
    """A test with all of that. Subclasses' methods run inside the emulation too."""

    def setUp(self) -> None:
        os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
        self.emulation = mock_aws()
        self.emulation.start()
        self.addCleanup(self.emulation.stop)
        ec2, self.elb = client("ec2"), client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
                   for at, zone in enumerate("ab")]
        balancer = self.elb.create_load_balancer(Name="weir-test", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        groups = {colour: self.elb.create_target_group(Name=f"weir-test-{colour}", Protocol="HTTP", Port=8080, VpcId=vpc,
                                                       TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
                  for colour in targets.COLOURS}
        listeners = [self.elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=[
            {"Type": "forward", "ForwardConfig": {"TargetGroups": [
                {"TargetGroupArn": groups["blue"], "Weight": 100}, {"TargetGroupArn": groups["green"], "Weight": 0}]}}])
            ["Listeners"][0]["ListenerArn"] for port in (80, 8443)]
        ecs = client("ecs")
        ecs.create_cluster(clusterName="weir-test")
        self.revision = self.register("1")
        services = {colour: f"weir-test-{colour}" for colour in targets.COLOURS}
        for service in services.values():
            ecs.create_service(cluster="weir-test", serviceName=service, taskDefinition=self.revision, desiredCount=0)
        self.ecs = Ecs(ecs, self.elb, {services[colour]: groups[colour] for colour in targets.COLOURS})
        self.ecs.update_service(cluster="weir-test", service=services["blue"], taskDefinition=self.revision, desiredCount=3)
        self.cloudwatch, self.scaling = client("cloudwatch"), client("application-autoscaling")
        for name in ("weir-test-errors", "weir-test-latency"):
            self.cloudwatch.put_metric_alarm(AlarmName=name, MetricName="Faults", Namespace="weir", Period=60, Threshold=1,
                                             EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum")
        self.data = {
            "cluster": "weir-test", "listener": listeners[0], "test_listener": listeners[1], "services": services,
            "target_groups": groups, "task_definition": self.revision, "alarms": ["weir-test-errors", "weir-test-latency"],
            "metrics": {"namespace": "weir", "dimensions": {"Service": "weir", "Environment": "test"}},
        }
        self.target = targets.read(self.data)
        self.clock, self.screen = Clock(), io.StringIO()
        self.balancer, self.ssm = Balancer(self.elb, self.target), client("ssm")
        self.count("Forwarded", 0, late=15)  # weir is at work

    def register(self, tag: str) -> str:
        """A revision of weir's task definition."""
        return client("ecs").register_task_definition(family="weir-test", containerDefinitions=[
            {"name": "weir", "image": f"weir:{tag}", "memory": 512}, {"name": "log", "image": "log:1", "memory": 64}],
        )["taskDefinition"]["taskDefinitionArn"]

    def journey(self, plan: Plan = QUICK, **limits) -> Journey:
        """A release that has not begun."""
        fleet = Fleet(self.ecs, self.scaling, self.target)
        gates = Gates(self.target, self.balancer, fleet, self.cloudwatch, self.clock, Limits(**limits))
        lock = Lock(self.ssm, self.target.lock, self.clock)
        return Journey(self.target, self.balancer, fleet, gates, lock, self.clock, Show(self.clock, self.screen), plan)

    def alarm(self, name: str, state: str = "ALARM") -> None:
        """What CloudWatch would find."""
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")

    def fleet_of(self, colour: str):
        """How a colour's service is doing."""
        return Fleet(self.ecs, self.scaling, self.target).state(self.target.colours[colour])

    def count(self, name: str, value: float, late: float = 0, **dimensions: str) -> None:
        """A figure of weir's, now or told late."""
        self.put("weir", name, value, self.target.dimensions | dimensions, late)

    def count_at_balancer(self, name: str, value: float, colour: str, late: float = 0) -> None:
        """A figure of the load balancer's, now or told late."""
        self.put("AWS/ApplicationELB", name, value, {"LoadBalancer": self.target.balancer_suffix,
                                                     "TargetGroup": self.target.colours[colour].group_suffix}, late)

    def put(self, namespace: str, name: str, value: float, dimensions: dict[str, str], late: float) -> None:
        self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{
            "MetricName": name, "Value": value, "Timestamp": self.clock.wall() - datetime.timedelta(seconds=late),
            # moto, unlike CloudWatch, minds the order.
            "Dimensions": [{"Name": key, "Value": text} for key, text in sorted(dimensions.items())]}])
