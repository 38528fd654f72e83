"""How tasks run."""
import re

from .plan import seconds
from .registry import rule

NOFILE = 65535
FARGATE_STOP = 120


@rule("hardened", "A container can't write to its root, is nobody, has no capability, and nobody steps into it.")
def hardened(plan):
    for one, container in plan.containers():
        name = container["name"]
        if not container.get("readonlyRootFilesystem"):
            yield one.address, f"container {name} may write to its root: readonlyRootFilesystem = true"
        if container.get("privileged") or re.fullmatch(r"(|0|root)(:.*)?", container.get("user", "")):
            yield one.address, f"container {name} runs as root: give it a user's number"
        capabilities = (container.get("linuxParameters") or {}).get("capabilities") or {}
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            yield one.address, f"container {name} keeps capabilities: drop ALL, add none"
    for one in plan.of("aws_ecs_service"):
        if one["enable_execute_command"]:
            yield one.address, "lets people into its containers: enable_execute_command = false"


@rule("images-named", "An image has a version or a digest, never latest.")
def images_named(plan):
    for one, container in plan.containers():
        # A colon before the last slash is a registry's port.
        if not re.search(r"(@sha256:[0-9a-f]{64}|:(?!latest$)[^/:@]+)$", container["image"]):
            yield one.address, f"container {container['name']}: {container['image']} says no version"


@rule("open-files", f"A container may hold {NOFILE} files open: a connection is one, and so is its other end.")
def open_files(plan):
    for one, container in plan.containers():
        limits = {u["name"]: min(u["softLimit"], u["hardLimit"]) for u in container.get("ulimits") or []}
        if limits.get("nofile", 0) < NOFILE:
            yield one.address, f"container {container['name']} may open {limits.get('nofile', 1024)} files: nofile, {NOFILE} or more"


@rule("time-to-drain", "A task has longer to stop than weir takes to drain, and so has its target group.")
def time_to_drain(plan):
    drain = seconds(plan.config.get("listen", {}).get("drain_timeout", "25s"))
    for one, container in plan.containers():
        if container["name"] in plan.doors() and not drain < container.get("stopTimeout", 30) <= FARGATE_STOP:
            yield one.address, f"stopTimeout {container.get('stopTimeout', 30)} s is not above weir's drain_timeout, {drain:.0f} s, and up to {FARGATE_STOP} s"
    for one in plan.of("aws_lb_target_group"):
        if isinstance(one["deregistration_delay"], (int, str)) and int(one["deregistration_delay"]) < drain:
            yield one.address, f"deregistration_delay {one['deregistration_delay']} s is below weir's drain_timeout, {drain:.0f} s"


@rule("health-checked", "weir's container says itself whether it is well.")
def health_checked(plan):
    for one, container in plan.containers():
        if container["name"] in plan.doors() and not container.get("healthCheck"):
            yield one.address, f"container {container['name']} has no healthCheck"


@rule("bad-releases-end", "A deployment that does not come up is turned back, and takes no task away before a new one is there.")
def bad_releases_end(plan):
    for one in plan.of("aws_ecs_service"):
        breaker = one.block("deployment_circuit_breaker")
        if not (breaker.get("enable") and breaker.get("rollback")):
            yield one.address, "a bad deployment is not turned back: deployment_circuit_breaker with rollback"
        if (one["deployment_minimum_healthy_percent"] or 100) < 100:
            yield one.address, "a deployment takes tasks away first: deployment_minimum_healthy_percent = 100"
        if one.blocks("load_balancer") and not one.block("alarms").get("enable"):
            yield one.address, "no alarm turns a deployment back: alarms"
