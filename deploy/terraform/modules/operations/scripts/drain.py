"""Stops one task of ours by the rules: ECS deregisters it and sends SIGTERM."""
import boto3


def run(events, context):
    ecs = boto3.client("ecs")
    found = ecs.describe_tasks(cluster=events["cluster"], tasks=[events["task"]])["tasks"]
    if not found:
        raise ValueError(f"Task: there is no task {events['task']} in the cluster {events['cluster']}")
    service = found[0].get("group", "").removeprefix("service:")
    if not service.startswith(events["prefix"] + "-"):
        raise ValueError(f"Task: {events['task']} belongs to {service or 'no service'}, not to {events['prefix']}")
    running = ecs.describe_services(cluster=events["cluster"], services=[service])["services"][0]["runningCount"]
    if running == 1:
        raise RuntimeError(f"it is the only task of {service}: start the document replace, which starts a new one first")
    ecs.stop_task(cluster=events["cluster"], task=events["task"], reason=f"drained by an operator, {events['by']}")
    return {"service": service}
