"""The web ACL in front of the load balancer."""
from .plan import UNKNOWN
from .registry import rule

GROUPS = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
          "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesAntiDDoSRuleSet")


def first(blocks, key):
    held = (blocks or {}).get(key)
    return held[0] if isinstance(held, list) and held else {}


def parts(acl):
    """(rule, its statement) of each."""
    return [(one, first(one, "statement")) for one in acl.blocks("rule")]


@rule("web-acl-in-front", "Every load balancer that the internet reaches has a web ACL in front.")
def web_acl_in_front(plan):
    guarded = {one["resource_arn"] for one in plan.of("aws_wafv2_web_acl_association")}
    for one in plan.of("aws_lb"):
        if not one["internal"] and one["load_balancer_type"] in ("application", None) and one["arn"] not in guarded:
            yield one.address, "no web ACL guards it: aws_wafv2_web_acl_association"


@rule("bans-block", "Every set that weir writes its bans to exists, and the web ACL blocks who is in it.")
def bans_block(plan):
    waf = plan.config.get("waf", {})
    sets = {one["name"]: one["arn"] for one in plan.of("aws_wafv2_ip_set")}
    blocking = {first(statement, "ip_set_reference_statement").get("arn")
                for acl in plan.of("aws_wafv2_web_acl") for one, statement in parts(acl) if first(one, "action").get("block")}
    for name in [*waf.get("ipv4_sets", []), *waf.get("ipv6_sets", [])]:
        if name not in sets:
            yield "weir's config", f"waf names the set {name}, which is not there"
        elif sets[name] not in blocking and UNKNOWN not in blocking:
            yield f"aws_wafv2_ip_set {name}", "weir writes bans to it, and no rule of the web ACL blocks them"
    if waf.get("enabled") and not waf.get("ipv4_sets"):
        yield "weir's config", "waf is enabled and names no set"


@rule("common-threats", "AWS's groups against common threats stand in the web ACL, and in production they block.")
def common_threats(plan):
    for acl in plan.of("aws_wafv2_web_acl"):
        held = {first(statement, "managed_rule_group_statement").get("name"): one for one, statement in parts(acl)}
        for name in GROUPS:
            if name not in held:
                yield acl.address, f"lacks the group {name}"
            elif plan.production and first(held[name], "override_action").get("count"):
                yield acl.address, f"{name} only counts: production blocks"


@rule("wide-net", "A rate rule blocks the crudest floods before weir must.")
def wide_net(plan):
    for acl in plan.of("aws_wafv2_web_acl"):
        if not any(first(statement, "rate_based_statement") and first(one, "action").get("block") for one, statement in parts(acl)):
            yield acl.address, "has no rate rule that blocks"


@rule("verdicts-counted", "Every rule of the web ACL has a metric and a priority of its own.")
def verdicts_counted(plan):
    for acl in plan.of("aws_wafv2_web_acl"):
        rules = acl.blocks("rule")
        for key in ("priority", "name"):
            seen = [one.get(key) for one in rules]
            if len(set(seen)) < len(seen):
                yield acl.address, f"two rules have the same {key}"
        for one in rules:
            if not first(one, "visibility_config").get("cloudwatch_metrics_enabled"):
                yield acl.address, f"rule {one.get('name')} has no metric"
