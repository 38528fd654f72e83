"""AWS's APIs on loopback. moto holds load balancer, services and parameters, in this process; ministack is CloudWatch."""

import contextlib
import logging
import os
import pathlib
import socket

import boto3
from moto.elbv2.models import FakeTargetGroup
from moto.server import ThreadedMotoServer

from .process import Program, find, free_port, until

REGION, CLUSTER = "eu-central-1", "weir-drill"
COLOURS = ("blue", "green")
DIMENSIONS = {"Service": "weir", "Environment": "drill"}


class Cloud:
    """Both emulators, and what Terraform would have made in them."""

    def __init__(self, folder: pathlib.Path) -> None:
        os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION,
                       "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
        self.ending = contextlib.ExitStack()
        port = free_port()
        home = folder / "ministack"
        home.mkdir()
        ministack = Program([find("ministack", "make setup-drill")], folder / "ministack.log",
                            {"GATEWAY_PORT": str(port), "MINISTACK_HOST": "127.0.0.1", "HOME": str(home)}, cwd=home)
        self.ending.callback(ministack.end)
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        self.ending.callback(moto.stop)
        self.api = "http://{}:{}".format(*moto.get_host_and_port())
        self.metrics = f"http://127.0.0.1:{port}"
        until("ministack listens", lambda: open_port(port), 90)
        self.elb, self.ecs, self.cloudwatch = self.client("elbv2"), self.client("ecs"), self.client("cloudwatch")
        # What moto does not know: whether a target answers, and whether a task runs.
        self.health: dict[str, str] = {}
        with_health(self.health)
        self.build()

    def client(self, service: str):
        """A client of the emulator that knows this service."""
        return boto3.client(service, endpoint_url=self.metrics if service == "cloudwatch" else self.api)

    def environment(self) -> dict[str, str]:
        """What a command has to know to speak to these and not to AWS."""
        return {"AWS_ENDPOINT_URL": self.api, "AWS_ENDPOINT_URL_CLOUDWATCH": self.metrics, "PYTHONDONTWRITEBYTECODE": "1"}

    def build(self) -> None:
        """A load balancer with two listeners and two groups, a cluster with two services, an alarm."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
                   for at, zone in enumerate("ab")]
        self.balancer = self.elb.create_load_balancer(Name="weir-drill", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        self.groups = {colour: self.elb.create_target_group(
            Name=f"weir-drill-{colour}", Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip", HealthCheckPath="/readyz",
        )["TargetGroups"][0]["TargetGroupArn"] for colour in COLOURS}
        self.listener, self.test_listener = (self.listen(port) for port in (443, 8443))
        self.ecs.create_cluster(clusterName=CLUSTER)
        self.services = {colour: f"weir-drill-{colour}" for colour in COLOURS}
        self.revision = self.ecs.register_task_definition(family="weir-drill", containerDefinitions=[
            {"name": "weir", "image": image("good"), "memory": 512}])["taskDefinition"]["taskDefinitionArn"]
        for service in self.services.values():
            self.ecs.create_service(cluster=CLUSTER, serviceName=service, taskDefinition=self.revision, desiredCount=0)
        self.cloudwatch.put_metric_alarm(
            AlarmName="weir-drill-release", Namespace="weir", MetricName="ConfigReloadsRefused", Statistic="Sum", Period=60, Threshold=1,
            EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
            Dimensions=[{"Name": name, "Value": value} for name, value in DIMENSIONS.items()])

    def listen(self, port: int) -> str:
        """A listener that gives blue everything."""
        groups = [{"TargetGroupArn": self.groups[colour], "Weight": weight} for colour, weight in zip(COLOURS, (100, 0))]
        return self.elb.create_listener(LoadBalancerArn=self.balancer, Protocol="HTTP", Port=port, DefaultActions=[
            {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])["Listeners"][0]["ListenerArn"]

    def target(self) -> dict:
        """Terraform's output `rollout`."""
        return {"cluster": CLUSTER, "services": self.services, "task_definition": self.revision, "listener": self.listener,
                "test_listener": self.test_listener, "target_groups": self.groups, "alarms": ["weir-drill-release"],
                "metrics": {"namespace": "weir", "dimensions": DIMENSIONS}}

    def weights(self) -> dict[str, int]:
        """What the listener says."""
        action = self.elb.describe_listeners(ListenerArns=[self.listener])["Listeners"][0]["DefaultActions"][0]
        found = {group["TargetGroupArn"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]}
        return {colour: found.get(self.groups[colour], 0) for colour in COLOURS}

    def want(self, colour: str, tasks: int) -> None:
        """Scales a service, as an operator or autoscaling does."""
        self.ecs.update_service(cluster=CLUSTER, service=self.services[colour], desiredCount=tasks)

    def close(self) -> None:
        """Ends both."""
        self.ending.close()


def image(release: str) -> str:
    """The image of a release of this name, by a digest that says it: tasks run what the digest stands for."""
    return f"registry.example/weir@sha256:{release.encode().hex():0>64}"


def release(name: str) -> str:
    """Which release an image is."""
    return bytes.fromhex(name.rsplit(":", 1)[1]).lstrip(b"\0").decode()


def with_health(states: dict[str, str]) -> None:
    """Has moto say what the health checks found."""
    told = FakeTargetGroup.health_for

    def health_for(group, target, ec2):
        found = told(group, target, ec2)
        if found.status == "healthy":
            found.status = states.get(target["Id"], "initial")
        return found
    FakeTargetGroup.health_for = health_for


def open_port(port: int) -> bool:
    """Whether somebody listens."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
