"""What is deployed where: Terraform's output `rollout`, from a file, standard input or an SSM parameter."""

import dataclasses
import json
import pathlib
import sys

COLOURS = ("blue", "green")


class Fault(Exception):
    """Why nothing was begun, or could not go on; the text is for people."""


@dataclasses.dataclass(frozen=True)
class Colour:
    """One of the two services and its group of targets."""

    name: str
    service: str
    group: str

    @property
    def group_suffix(self) -> str:
        """The group in CloudWatch's dimensions: the end of its ARN."""
        return self.group.rsplit(":", 1)[-1]


@dataclasses.dataclass(frozen=True)
class Target:
    """All that a rollout needs to know."""

    cluster: str
    listener: str
    test_listener: str
    colours: dict[str, Colour]
    task_definition: str
    alarms: tuple[str, ...]
    namespace: str
    dimensions: dict[str, str]

    @property
    def balancer_suffix(self) -> str:
        """The load balancer in CloudWatch's dimensions: listener/app/NAME/ID/… without both ends."""
        return "/".join(self.listener.rsplit(":", 1)[-1].split("/")[1:4])

    @property
    def lock(self) -> str:
        """The parameter that only one release at a time can have."""
        return f"/{self.cluster.rsplit('/', 1)[-1]}/rollout-lock"

    def other(self, name: str) -> Colour:
        """The colour that is not this one."""
        return self.colours[COLOURS[1 - COLOURS.index(name)]]


TEXTS = ("cluster", "listener", "test_listener", "task_definition")


def read(data: object) -> Target:
    """Checks all of it and names every fault."""
    if not isinstance(data, dict):
        raise Fault("the target is no JSON object: write what `terraform output -json rollout` prints")
    faults = [f"{key}: write a text" for key in TEXTS if not isinstance(data.get(key), str) or not data[key]]
    colours = {}
    for name in COLOURS:
        service = (data.get("services") or {}).get(name)
        group = (data.get("target_groups") or {}).get(name)
        if not service:
            faults.append(f"services.{name}: write the name of the ECS service")
        if not group:
            faults.append(f"target_groups.{name}: write the ARN of the target group")
        colours[name] = Colour(name, service or "", group or "")
    # One composite alarm, or several.
    alarms = data.get("alarms") or ([data["alarm"]] if data.get("alarm") else [])
    metrics = data.get("metrics") or {}
    if not isinstance(alarms, list) or not alarms:
        faults.append("alarms: write the names of the alarms that turn a release back, one at least")
    dimensions = metrics.get("dimensions")
    if not metrics.get("namespace") or not isinstance(dimensions, dict) or not dimensions:
        faults.append("metrics: write weir's namespace and dimensions, as [cloudwatch] in its config has them")
    if faults:
        raise Fault("the target has faults:\n  " + "\n  ".join(faults))
    return Target(data["cluster"], data["listener"], data["test_listener"], colours, data["task_definition"],
                  tuple(alarms), metrics["namespace"], dimensions)


def load(place: str, session) -> Target:
    """From `-`, `ssm:/name` or a file."""
    if place == "-":
        text = sys.stdin.read()
    elif place.startswith("ssm:"):
        text = session.client("ssm").get_parameter(Name=place[4:])["Parameter"]["Value"]
    else:
        try:
            text = pathlib.Path(place).read_text(encoding="utf-8")
        except OSError as error:
            raise Fault(f"{place}: {error.strerror}") from error
    try:
        return read(json.loads(text))
    except ValueError as error:
        raise Fault(f"{place}: no JSON: {error}") from error
