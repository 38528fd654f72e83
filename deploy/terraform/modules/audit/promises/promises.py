"""Judges weir's own promises. AWS Config starts it once an hour; it answers with one judgement and all that is broken.

A thing that is gone is a broken promise, and no error of this function: nobody would look at an error."""
import dataclasses
import datetime
import json
import os

import boto3
from botocore.exceptions import ClientError

COLOURS = ("blue", "green")
ADMIN_PORT = 9901
# What the load balancer must be like, and what it means if it is not.
ATTRIBUTES = {
    "routing.http.drop_invalid_header_fields.enabled": ({"true"}, "lets invalid header fields through"),
    "routing.http.desync_mitigation_mode": ({"defensive", "strictest"}, "lets requests through that smuggle others"),
    "routing.http.xff_header_processing.mode": ({"append"}, "does not append the client to X-Forwarded-For"),
    "routing.http.xff_client_port.enabled": ({"true"}, "does not tell weir the client's port"),
    "access_logs.s3.enabled": ({"true"}, "writes no access log"),
}


@dataclasses.dataclass(frozen=True)
class Declared:
    """Who else may reach weir, as Terraform declares it: groups of operators, networks of gateways that send syslog."""

    operators: tuple = ()
    gateways: tuple = ()
    syslog_port: int = 0

    @classmethod
    def read(cls, environment):
        """Out of the function's variables."""
        def listed(name):
            return tuple(one for one in environment.get(name, "").split(",") if one)
        return cls(listed("OPERATORS"), listed("GATEWAYS"), int(environment.get("SYSLOG_PORT", "0")))


NOBODY = Declared()


def balancer(prefix, elb):
    try:
        return elb.describe_load_balancers(Names=[prefix])["LoadBalancers"][0]
    except elb.exceptions.LoadBalancerNotFoundException:
        return None


def attributes(arn, elb):
    held = {one["Key"]: one["Value"] for one in elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    for key, (wanted, meaning) in ATTRIBUTES.items():
        if held.get(key) not in wanted:
            yield f"the load balancer {meaning} ({key})"


def web_acl(prefix, arn, waf):
    acl = waf.get_web_acl_for_resource(ResourceArn=arn).get("WebACL")
    if not acl:
        yield "no web ACL guards the load balancer"
        return
    rules = {rule["Statement"]["IPSetReferenceStatement"]["ARN"]: rule
             for rule in acl["Rules"] if "IPSetReferenceStatement" in rule["Statement"]}
    for one in sets(prefix, waf):
        rule = rules.get(one["ARN"])
        if not rule:
            yield f"the web ACL does not use weir's set {one['Name']}"
        elif "Block" not in rule.get("Action", {}):
            yield f"rule {rule['Name']} does not block"
    try:
        waf.get_logging_configuration(ResourceArn=acl["ARN"])
    except waf.exceptions.WAFNonexistentItemException:
        yield "the web ACL writes no log"


def sets(prefix, waf):
    """weir's own sets; that there are none is a broken promise as well."""
    found, asked = [], {"Scope": "REGIONAL", "Limit": 100}
    while True:
        page = waf.list_ip_sets(**asked)
        found += [one for one in page["IPSets"] if one["Name"].startswith(f"{prefix}-ip")]
        if not page.get("NextMarker") or not page["IPSets"]:
            return found or [{"Name": f"{prefix}-ipv4-0", "ARN": "gone"}]
        asked["NextMarker"] = page["NextMarker"]


def listeners(prefix, arn, elb):
    """Nobody is answered without TLS, and nobody gets to a target that is not weir."""
    groups = {group["TargetGroupArn"]: group["TargetGroupName"]
              for group in elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]}
    for listener in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        port = listener["Port"]
        rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        actions = [*listener["DefaultActions"], *(action for rule in rules for action in rule["Actions"])]
        if listener["Protocol"] == "HTTP" and any(action["Type"] != "redirect" for action in actions):
            yield f"port {port} passes requests without TLS"
        if listener["Protocol"] == "HTTPS" and "TLS13" not in listener.get("SslPolicy", ""):
            yield f"port {port} takes TLS by an old policy, {listener.get('SslPolicy')}"
        for group in sorted({group for action in actions for group in targets(action)}):
            if groups.get(group) not in [f"{prefix}-{colour}" for colour in COLOURS]:
                yield f"port {port} leads past weir, to {groups.get(group, group)}"


def targets(action):
    """The target groups of an action, in either way of writing."""
    weighted = action.get("ForwardConfig", {}).get("TargetGroups", [])
    return {group["TargetGroupArn"] for group in [action, *weighted] if "TargetGroupArn" in group}


def groups(prefix, ec2, declared):
    """The backend lets weir in, and nobody else; weir lets the load balancer in, and who was declared: operators to its admin
    address, gateways to its syslog port."""
    allowed = {"weir": "balancer", "backend": "weir", "store": "weir"}
    names = {f"{prefix}-{name}": name for name in (*allowed, "balancer")}
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": list(names)}])["SecurityGroups"]
    held = {names[group["GroupName"]]: group for group in found}
    for name, source in allowed.items():
        if name not in held:
            yield f"the security group {prefix}-{name} is gone"
            continue
        for rule in held[name]["IpPermissions"]:
            port = rule.get("FromPort") if name == "weir" and rule.get("FromPort") == rule.get("ToPort") else None
            fit = {held.get(source, {}).get("GroupId"), *(declared.operators if port == ADMIN_PORT else ())}
            others = [pair for pair in rule.get("UserIdGroupPairs", []) if pair["GroupId"] not in fit]
            gateways = declared.gateways if port is not None and port == declared.syslog_port else ()
            if others or any(one["CidrIp"] not in gateways for one in rule.get("IpRanges", [])) or rule.get("Ipv6Ranges") or rule.get("PrefixListIds"):
                yield f"{name} can be reached from elsewhere than {source}"


def services(prefix, ecs):
    names = [f"{prefix}-{name}" for name in (*COLOURS, "backend")]
    try:
        told = ecs.describe_services(cluster=prefix, services=names)
    except ecs.exceptions.ClusterNotFoundException:
        yield f"the cluster {prefix} is gone"
        return
    running = {service["serviceName"]: service for service in told["services"] if service["status"] == "ACTIVE"}
    for name in names:
        if name not in running:
            yield f"the service {name} is gone"
            continue
        service = running[name]
        if service.get("networkConfiguration", {}).get("awsvpcConfiguration", {}).get("assignPublicIp") == "ENABLED":
            yield f"tasks of {name} have public addresses"
        if service.get("enableExecuteCommand"):
            yield f"tasks of {name} let people in"
        task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        for container in task["containerDefinitions"]:
            yield from hardened(name, container)


def hardened(service, container):
    name = f"container {container['name']} of {service}"
    if container.get("privileged"):
        yield f"{name} is privileged"
    if not container.get("readonlyRootFilesystem"):
        yield f"{name} may write to its root"
    if container.get("user", "0").split(":")[0] in ("0", "root"):
        yield f"{name} runs as root"


def log_groups(prefix, logs):
    for start in (f"/{prefix}/", f"aws-waf-logs-{prefix}", f"/aws/lambda/{prefix}-"):
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=start):
            for group in page["logGroups"]:
                if not group.get("retentionInDays"):
                    yield f"log group {group['logGroupName']} is kept for ever"
                if not group.get("kmsKeyId"):
                    yield f"log group {group['logGroupName']} is not encrypted with our key"


def judge(prefix, declared=NOBODY):
    elb, waf = boto3.client("elbv2"), boto3.client("wafv2")
    found = balancer(prefix, elb)
    broken = ["the load balancer is gone"] if not found else [
        *attributes(found["LoadBalancerArn"], elb), *web_acl(prefix, found["LoadBalancerArn"], waf),
        *listeners(prefix, found["LoadBalancerArn"], elb)]
    return [*broken, *groups(prefix, boto3.client("ec2"), declared), *services(prefix, boto3.client("ecs")),
            *log_groups(prefix, boto3.client("logs"))]


def handler(event, context):
    try:
        broken = judge(os.environ["PREFIX"], Declared.read(os.environ))
    except ClientError as error:  # a right that is missing, say: nobody knows, and that is not compliant
        broken = [f"could not be judged: {error}"]
    print(json.dumps({"broken": broken}))  # all of them; AWS Config keeps 256 letters
    account = json.loads(event["invokingEvent"]).get("awsAccountId", event["accountId"])
    boto3.client("config").put_evaluations(
        ResultToken=event["resultToken"], TestMode=event["resultToken"] == "TESTMODE",
        Evaluations=[{
            "ComplianceResourceType": "AWS::::Account", "ComplianceResourceId": account,
            "ComplianceType": "NON_COMPLIANT" if broken else "COMPLIANT",
            "Annotation": ("; ".join(broken) or "all promises hold")[:256],
            "OrderingTimestamp": datetime.datetime.now(datetime.timezone.utc)}])
    return broken
