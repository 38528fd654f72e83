"""What is written down, for how long, and what must not be."""
from .firewall import first, parts
from .registry import rule

REDACTED = {"authorization", "cookie"}


@rule("network-logged", "The VPC's flows, the load balancer's requests and connections, and the web ACL's verdicts are logged.")
def network_logged(plan):
    if not any(one["traffic_type"] == "ALL" for one in plan.of("aws_flow_log")):
        yield "aws_flow_log", "the VPC's flows are not logged, or not all of them"
    for one in plan.of("aws_lb"):
        for key in ("access_logs", "connection_logs"):
            if not one.block(key).get("enabled"):
                yield one.address, f"has no {key}"
    if plan.of("aws_wafv2_web_acl") and not plan.of("aws_wafv2_web_acl_logging_configuration"):
        yield "aws_wafv2_web_acl_logging_configuration", "the web ACL's verdicts are not logged"


@rule("redacted", "The web ACL's log leaves out what a reader could act with.")
def redacted(plan):
    for one in plan.of("aws_wafv2_web_acl_logging_configuration"):
        hidden = {field["single_header"][0]["name"] for field in one.blocks("redacted_fields") if field.get("single_header")}
        if not hidden >= REDACTED:
            yield one.address, f"writes {', '.join(sorted(REDACTED - hidden))}"


@rule("floods-affordable", "The web ACL's log leaves out what weir's sets and the rate rule block, or what passed; it never has all.")
def floods_affordable(plan):
    for one in plan.of("aws_wafv2_web_acl_logging_configuration"):
        told = one.block("logging_filter")
        filters = told.get("filter") or []
        if not filters:
            yield one.address, "writes a line for every request: add logging_filter"
        if len({each["behavior"] for each in filters}) > 1:
            yield one.address, "keeps and drops: the first filter that fits decides, and Terraform keeps no order among them"
        if told.get("default_behavior") == "DROP":
            continue
        dropped = {first(condition, "label_name_condition").get("label_name", "") for each in filters if each["behavior"] == "DROP" for condition in each["condition"]}
        for acl in plan.of("aws_wafv2_web_acl"):
            for name in crowds(acl):
                if not any(label.endswith(f":webacl:{acl['name']}:{name[1]}") for label in dropped):
                    yield one.address, f"writes a line for every request that rule {name[0]} blocks"


def crowds(acl):
    """(name, label) of the rules that block by the thousand: weir's sets, rates."""
    for one, statement in parts(acl):
        if first(one, "action").get("block") and (first(statement, "ip_set_reference_statement") or first(statement, "rate_based_statement")):
            yield one["name"], first(one, "rule_label").get("name", "no label")


@rule("account-logged", "CloudTrail records every Region, and its files can be shown to be whole.")
def account_logged(plan):
    if not plan.of("aws_cloudtrail"):
        yield "aws_cloudtrail", "nobody writes down who did what in the account"
    for one in plan.of("aws_cloudtrail"):
        for key in ("is_multi_region_trail", "include_global_service_events", "enable_log_file_validation"):
            if one[key] is False or (one[key] is None and key != "include_global_service_events"):
                yield one.address, f"{key} is off"
        if one["enable_logging"] is False:
            yield one.address, "is there and records nothing"


@rule("tasks-logged", "Every container has a log; lines never hold a request back.")
def tasks_logged(plan):
    for one, container in plan.containers():
        log = container.get("logConfiguration")
        if not log:
            yield one.address, f"container {container['name']} has no log"
        elif log["logDriver"] == "awslogs" and (log.get("options") or {}).get("mode") != "non-blocking":
            yield one.address, f"container {container['name']} waits where CloudWatch Logs is slow: mode = non-blocking"
    for one in plan.of("aws_ecs_cluster"):
        if not any(s.get("name") == "containerInsights" and s.get("value") in ("enabled", "enhanced") for s in one.blocks("setting")):
            yield one.address, "has no Container Insights"


@rule("retention", "Logs are kept for a time that somebody chose: in production 90 days or more, and nowhere for ever.")
def retention(plan):
    for one in plan.of("aws_cloudwatch_log_group"):
        if not one["retention_in_days"]:
            yield one.address, "is kept for ever: set retention_in_days"
        elif plan.production and isinstance(one["retention_in_days"], (int, float)) and one["retention_in_days"] < 90:
            yield one.address, f"is gone after {one['retention_in_days']} days: production keeps 90 or more"
    aged = {one["bucket"] for one in plan.of("aws_s3_bucket_lifecycle_configuration")}
    for one in plan.of("aws_s3_bucket"):
        if not {one["id"], one["bucket"]} & aged:
            yield one.address, "keeps everything for ever: add aws_s3_bucket_lifecycle_configuration"
