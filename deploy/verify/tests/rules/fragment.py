"""Fragments of plans: just the resources that a rule looks at."""
import dataclasses
import itertools
import json

COUNT = itertools.count()


def resource(kind, label=None, /, change=None, unknown=None, **values):
    return {"address": f"{kind}.{label or next(COUNT)}", "mode": "managed", "type": kind, "values": values,
            "change": {"actions": ["no-op"], **(change or {}), "after_unknown": unknown or {}}}


def plan(resources, configuration=None):
    return {"planned_values": {"root_module": {"resources": [{k: v for k, v in one.items() if k != "change"} for one in resources]}},
            "resource_changes": [{"address": one["address"], "change": one["change"]} for one in resources],
            "configuration": {"root_module": configuration or {}}}


@dataclasses.dataclass
class Case:
    """What keeps a rule, and what breaks it: words of the complaint → resources."""
    holds: list
    breaks: dict
    production: bool = True
    configuration: dict = dataclasses.field(default_factory=dict)


def policy(kind, *statements, key="policy"):
    return resource(kind, **{key: json.dumps({"Version": "2012-10-17", "Statement": list(statements)})})


def allow(actions=("s3:GetObject",), resources=("arn:aws:s3:::weir/*",), **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources), **more}


def task(**container):
    """A task definition with one container named weir, and the service that puts it behind the load balancer."""
    return [resource("aws_ecs_task_definition", container_definitions=json.dumps([{"name": "weir", "image": "registry.example/weir:1", **container}])),
            resource("aws_ecs_service", load_balancer=[{"container_name": "weir"}])]


def config(text):
    return resource("aws_ssm_parameter", value="[listen]\n" + text)
