"""Judges weir's own promises. AWS Config starts it once an hour; it answers with one judgement and all that is broken."""
import datetime
import json
import os

import boto3


def balancer(prefix):
    found = boto3.client("elbv2").describe_load_balancers(Names=[prefix])["LoadBalancers"]
    return found[0]["LoadBalancerArn"]


def web_acl(prefix, arn):
    acl = boto3.client("wafv2").get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
    if not acl:
        yield "no web ACL guards the load balancer"
        return
    sets = [rule for rule in acl["Rules"] if "IPSetReferenceStatement" in rule["Statement"]]
    ours = [rule for rule in sets if f"/ipset/{prefix}-ip" in rule["Statement"]["IPSetReferenceStatement"]["ARN"]]
    if not ours:
        yield "the web ACL does not use weir's IP sets"
    for rule in ours:
        if "Block" not in rule.get("Action", {}):
            yield f"rule {rule['Name']} does not block"


def listeners(arn):
    for listener in boto3.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        plain = listener["Protocol"] == "HTTP"
        if plain and any(action["Type"] != "redirect" for action in listener["DefaultActions"]):
            yield f"port {listener['Port']} passes requests without TLS"


def groups(prefix):
    """The backend lets weir in, and nobody else; weir lets the load balancer in, and nobody else."""
    names = {f"{prefix}-{name}": name for name in ("balancer", "weir", "backend", "store")}
    found = boto3.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": list(names)}])["SecurityGroups"]
    ids = {names[group["GroupName"]]: group["GroupId"] for group in found}
    allowed = {"weir": "balancer", "backend": "weir", "store": "weir"}
    for group in found:
        name = names[group["GroupName"]]
        if name not in allowed:
            continue
        for rule in group["IpPermissions"]:
            others = [pair["GroupId"] for pair in rule.get("UserIdGroupPairs", []) if pair["GroupId"] != ids.get(allowed[name])]
            networks = rule.get("IpRanges", []) + rule.get("Ipv6Ranges", []) + rule.get("PrefixListIds", [])
            if others or networks:
                yield f"{name} can be reached from elsewhere than {allowed[name]}"


def services(prefix):
    names = [f"{prefix}-{name}" for name in ("blue", "green", "backend")]
    for service in boto3.client("ecs").describe_services(cluster=prefix, services=names)["services"]:
        network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        if network.get("assignPublicIp") == "ENABLED":
            yield f"tasks of {service['serviceName']} have public addresses"


def judge(prefix):
    arn = balancer(prefix)
    return [*web_acl(prefix, arn), *listeners(arn), *groups(prefix), *services(prefix)]


def handler(event, context):
    broken = judge(os.environ["PREFIX"])
    account = json.loads(event["invokingEvent"]).get("awsAccountId", event["accountId"])
    boto3.client("config").put_evaluations(ResultToken=event["resultToken"], Evaluations=[{
        "ComplianceResourceType": "AWS::::Account", "ComplianceResourceId": account,
        "ComplianceType": "NON_COMPLIANT" if broken else "COMPLIANT",
        "Annotation": ("; ".join(broken) or "all promises hold")[:256],
        "OrderingTimestamp": datetime.datetime.now(datetime.timezone.utc)}])
    return broken
