"""What people on call can start, run for real on what Terraform made."""
from . import terraform as tf
from .automation import Automation


def run(api, prefix):
    """Starts each document that there is; their names."""
    names = {one["Name"] for one in api.client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]}
    acts = {f"{prefix}-{name}": act for name, act in ACTS.items()}
    if names != set(acts):
        raise tf.Failed(f"documents without a run here, or the other way round: {', '.join(sorted(names ^ set(acts)))}")
    for name in sorted(acts):
        acts[name](api, prefix, Automation(api, name))
    return sorted(names)


def refused(document, what, **parameters):
    """A document must not do this."""
    try:
        document.run(**parameters)
    except tf.Failed:
        return
    raise tf.Failed(f"{document.name} took {what}")


def entries(api):
    waf = api.client("wafv2")
    return {entry for one in waf.list_ip_sets(Scope="REGIONAL")["IPSets"]
            for entry in waf.get_ip_set(Name=one["Name"], Id=one["Id"], Scope="REGIONAL")["IPSet"]["Addresses"]}


def block(api, prefix, document):
    before = entries(api)
    for network in ("198.51.100.0/24", "2001:db8::/48"):
        document.run(Network=network)
        api.holds(network in entries(api), f"block puts {network} into a set")
        again = document.run(Network=network)
        api.holds(not any(step.get("changed") for step in again.values()), "blocking twice changes nothing")
        Automation(api, f"{prefix}-unblock").run(Network=network)
    api.holds(entries(api) == before, "unblock takes out what block put in, and nothing else")
    refused(document, "what is no network", Network="everybody")


def unblock(api, prefix, document):
    done = document.run(Network="203.0.113.7/32")
    api.holds(not any(step.get("changed") for step in done.values()), "unblocking who is not blocked changes nothing")
    refused(document, "what is no network", Network="everybody")


def service(api, prefix, colour):
    return api.client("ecs").describe_services(cluster=prefix, services=[f"{prefix}-{colour}"])["services"][0]


def scale(api, prefix, document):
    before = service(api, prefix, "backend")["desiredCount"]
    scaling, words = api.client("application-autoscaling"), {"ServiceNamespace": "ecs"}
    floor = scaling.describe_scalable_targets(**words, ResourceIds=[f"service/{prefix}/{prefix}-backend"])["ScalableTargets"][0]
    document.run(Service=f"{prefix}-backend", Tasks=str(before + 1))
    api.holds(service(api, prefix, "backend")["desiredCount"] == before + 1, "scale sets the number of tasks")
    refused(document, "more tasks than autoscaling may start", Service=f"{prefix}-backend", Tasks="200")
    refused(document, "another service", Service="payments", Tasks="1")
    # As it was: the next plan must find nothing.
    scaling.register_scalable_target(**words, ResourceId=floor["ResourceId"], ScalableDimension=floor["ScalableDimension"], MinCapacity=floor["MinCapacity"])
    api.client("ecs").update_service(cluster=prefix, service=f"{prefix}-backend", desiredCount=before)


def replace(api, prefix, document):
    before = service(api, prefix, "blue")["deployments"][0]["id"]
    document.run(Service=f"{prefix}-blue")
    api.holds(service(api, prefix, "blue")["deployments"][0]["id"] != before, "replace begins a deployment")
    refused(document, "another service", Service="payments")


def drain(api, prefix, document):
    """moto runs no tasks of a service: that it refuses what is no task of ours is all that can be seen here."""
    refused(document, "a task that is not there", Task="0" * 32)
    refused(document, "what is no task", Task="all")


def kill_switch(api, prefix, document):
    def held():
        return api.client("ssm").get_parameter(Name=f"/{prefix}/config")["Parameter"]["Value"]
    there = {one["Name"] for one in api.client("ssm").describe_parameters()["Parameters"]}
    api.holds(f"/{prefix}/config-observe" in there, "a config that only observes, for the kill switch: pass observe_config to module config_source")
    enforcing = held()
    document.run(Switch="on")
    api.holds(held() != enforcing, "the kill switch puts another config in force")
    document.run(Switch="off")
    api.holds(held() == enforcing, "and brings back the one before")
    refused(document, "neither on nor off", Switch="perhaps")


ACTS = {"block": block, "unblock": unblock, "scale": scale, "replace": replace, "drain": drain, "kill-switch": kill_switch}
