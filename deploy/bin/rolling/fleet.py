"""The tasks behind a colour: an ECS service."""

import dataclasses

from .target import Colour, Fault, Target

# What describe_task_definition says and register_task_definition does not take.
READ_ONLY = {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt",
             "registeredBy", "deregisteredAt"}


@dataclasses.dataclass(frozen=True)
class State:
    """How a service is doing."""

    task_definition: str
    desired: int
    running: int
    failed: bool

    @property
    def steady(self) -> bool:
        """Whether it is all there."""
        return self.running == self.desired and not self.failed


class Fleet:
    """The services of one target."""

    def __init__(self, client, scaling, target: Target) -> None:
        self.client, self.scaling = client, scaling
        self.target = target

    def state(self, colour: Colour) -> State:
        """How it is now."""
        found = self.client.describe_services(cluster=self.target.cluster, services=[colour.service])["services"]
        if not found:
            raise Fault(f"there is no service {colour.service} in cluster {self.target.cluster}")
        service = found[0]
        newest = next((d for d in service["deployments"] if d["status"] == "PRIMARY"), {})
        return State(service["taskDefinition"], service["desiredCount"],
                     newest.get("runningCount", service["runningCount"]), newest.get("rolloutState") == "FAILED")

    def start(self, colour: Colour, task_definition: str, tasks: int) -> None:
        """Has it run so many tasks of this revision."""
        self.hold(colour, tasks)
        self.client.update_service(cluster=self.target.cluster, service=colour.service, taskDefinition=task_definition,
                                   desiredCount=tasks)

    def hold(self, colour: Colour, tasks: int) -> None:
        """Keeps autoscaling from taking tasks of a colour to which few requests come."""
        words = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
        resource = f"service/{self.target.cluster}/{colour.service}"
        if self.scaling.describe_scalable_targets(ResourceIds=[resource], **words)["ScalableTargets"]:
            self.scaling.register_scalable_target(ResourceId=resource, MinCapacity=tasks, **words)

    def with_image(self, image: str, container: str = "weir") -> str:
        """Registers a revision that differs from the target's in weir's image alone."""
        told = self.client.describe_task_definition(taskDefinition=self.target.task_definition, include=["TAGS"])
        new = {key: value for key, value in told["taskDefinition"].items() if key not in READ_ONLY}
        if told.get("tags"):
            new["tags"] = told["tags"]
        of_weir = [part for part in new["containerDefinitions"] if part["name"] == container]
        if not of_weir:
            raise Fault(f"{self.target.task_definition} has no container {container}")
        of_weir[0]["image"] = image
        return self.client.register_task_definition(**new)["taskDefinition"]["taskDefinitionArn"]
