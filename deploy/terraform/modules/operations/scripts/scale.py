"""Sets the floor of autoscaling, which then starts what is missing; a service without autoscaling gets its number."""
import boto3


def run(events, context):
    tasks, service = int(events["tasks"]), events["service"]
    of = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    name = f"service/{events['cluster']}/{service}"
    scaling, ecs = boto3.client("application-autoscaling"), boto3.client("ecs")
    found = ecs.describe_services(cluster=events["cluster"], services=[service])["services"]
    if not found:
        raise ValueError(f"Service: there is no service {service} in the cluster {events['cluster']}")
    before = found[0]["desiredCount"]
    targets = scaling.describe_scalable_targets(ResourceIds=[name], **of)["ScalableTargets"]
    if targets:
        most = targets[0]["MaxCapacity"]
        if tasks > most:
            raise ValueError(f"Tasks: {tasks} is above {most}, the maximum of {service}: raise max_tasks with Terraform")
        scaling.register_scalable_target(ResourceId=name, MinCapacity=tasks, **of)
    if before < tasks or not targets:  # down is autoscaling's own affair: not while the load is there
        ecs.update_service(cluster=events["cluster"], service=service, desiredCount=tasks)
    return {"before": before, "now": tasks}
