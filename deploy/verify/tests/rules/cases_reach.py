"""Cases of the rules on exposure, the load balancer and the web ACL."""
from .fragment import Case, config, resource


def service(name, groups=("sg-weir",), subnets=("private",), behind=True, **more):
    return resource("aws_ecs_service", name, load_balancer=[{"container_name": name}] if behind else [],
                    network_configuration=[{"security_groups": list(groups), "subnets": list(subnets), **more}])


def way_in(name, group, ports=(1, 1), **source):
    return resource("aws_vpc_security_group_ingress_rule", name, security_group_id=group, from_port=ports[0], to_port=ports[1], **source)


def written(key):
    return {"resources": [{"address": "aws_security_group.x", "type": "aws_security_group", "expressions": {"name": {}, key: {}}}]}


def acl(*rules, **more):
    return resource("aws_wafv2_web_acl", rule=list(rules), **more)


def group(name, **more):
    return {"name": name, "statement": [{"managed_rule_group_statement": [{"name": f"AWSManagedRules{name}"}]}], "override_action": [{"none": [{}]}], **more}


BALANCER = resource("aws_lb", security_groups=["sg-lb"], arn="lb", internal=False, load_balancer_type="application")
CHAIN = [BALANCER, service("weir"), service("backend", ["sg-backend"], behind=False),
         resource("aws_elasticache_replication_group", security_group_ids=["sg-store"]),
         way_in("a", "sg-weir", referenced_security_group_id="sg-lb"), way_in("b", "sg-backend", referenced_security_group_id="sg-weir"),
         way_in("c", "sg-store", referenced_security_group_id="sg-weir")]
ROUTES = [resource("aws_route", gateway_id="igw-1", route_table_id="t"), resource("aws_route_table_association", subnet_id="public", route_table_id="t")]
CLOSED = {key: True for key in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")}
GROUPS = [group(name) for name in ("CommonRuleSet", "SQLiRuleSet", "KnownBadInputsRuleSet", "AmazonIpReputationList", "AntiDDoSRuleSet")]
BANS = [config('[waf]\nenabled = true\nipv4_sets = ["bans"]'), resource("aws_wafv2_ip_set", name="bans", arn="set")]
BLOCKS = {"name": "bans", "action": [{"block": [{}]}], "statement": [{"ip_set_reference_statement": [{"arn": "set"}]}]}
RATE = {"statement": [{"rate_based_statement": [{"limit": 600}]}]}
SEEN = {"visibility_config": [{"cloudwatch_metrics_enabled": True}]}


def changed(kind, before, after, **values):
    return resource(kind, change={"actions": ["update"], "before": before, "after": after}, **values)


CASES = {
    "no-public-task": Case([service("weir", assign_public_ip=False), resource("aws_subnet", map_public_ip_on_launch=False)], {
        "its tasks get public": [service("weir", assign_public_ip=True)], "what starts here": [resource("aws_subnet", map_public_ip_on_launch=True)]}),
    "private-subnets": Case([*ROUTES, service("weir")], {
        "internet gateway": [*ROUTES, service("weir", subnets=["public"])],
        "is in a subnet": [*ROUTES, resource("aws_elasticache_subnet_group", subnet_ids=["public"])]}),
    "open-doors": Case([BALANCER, way_in("a", "sg-lb", (443, 443), cidr_ipv4="0.0.0.0/0")], {
        "22 to 22": [BALANCER, way_in("a", "sg-lb", (22, 22), cidr_ipv4="0.0.0.0/0")],
        "443 to 443": [BALANCER, way_in("a", "sg-weir", (443, 443), cidr_ipv6="::/0")],
        "1 to 9": [resource("aws_security_group_rule", type="ingress", cidr_blocks=["0.0.0.0/0"], from_port=1, to_port=9)],
        "lets everything out": [resource("aws_vpc_security_group_egress_rule", ip_protocol="-1", cidr_ipv4="0.0.0.0/0")]}),
    "one-way-in": Case(CHAIN, {
        "reach the weir": [*CHAIN, way_in("d", "sg-weir", cidr_ipv4="10.0.0.0/8")],
        "reach the backend": [*CHAIN, way_in("d", "sg-backend", referenced_security_group_id="sg-lb")],
        "reach the store": [*CHAIN, way_in("d", "sg-store", referenced_security_group_id="sg-backend")],
        "somebody else's": [service("weir", ["one"]), service("backend", ["one"], behind=False)]}),
    "private-buckets": Case([resource("aws_s3_bucket", id="b"), resource("aws_s3_bucket_public_access_block", bucket="b", **CLOSED)], {
        "closes all four": [resource("aws_s3_bucket", id="b"), resource("aws_s3_bucket_public_access_block", bucket="b", **{**CLOSED, "block_public_policy": False})]}),
    "no-smuggling": Case([resource("aws_lb", desync_mitigation_mode="strictest", drop_invalid_header_fields=True)], {
        "ambiguous": [resource("aws_lb", desync_mitigation_mode="monitor", drop_invalid_header_fields=True)],
        "header fields": [resource("aws_lb", desync_mitigation_mode="strictest")]}),
    "client-address-told": Case([resource("aws_lb", xff_header_processing_mode="append", enable_xff_client_port=True)], {
        "addresses": [resource("aws_lb", xff_header_processing_mode="preserve", enable_xff_client_port=True)], "ports": [resource("aws_lb")]}),
    "left-alone": Case([*BANS, changed("aws_wafv2_ip_set", {"addresses": ["192.0.2.7/32"]}, {"addresses": []}, name="the office's"),
                        changed("aws_lb_listener", {"default_action": [{"type": "redirect"}]}, {"default_action": [{"type": "forward"}]})], {
        "addresses": [BANS[0], changed("aws_wafv2_ip_set", {"addresses": ["192.0.2.7/32"]}, {"addresses": []}, name="bans")],
        "default_action": [changed("aws_lb_listener", {"default_action": [{"type": "forward", "weight": 5}]}, {"default_action": [{"type": "forward"}]})],
        "task_definition": [changed("aws_ecs_service", {"task_definition": "2"}, {"task_definition": "1"}, load_balancer=[{}])],
        "desired_count": [changed("aws_ecs_service", {"desired_count": 9}, {"desired_count": 2})]}),
    "web-acl-in-front": Case([BALANCER, resource("aws_wafv2_web_acl_association", resource_arn="lb")], {
        "no web ACL": [BALANCER, resource("aws_wafv2_web_acl_association", resource_arn="another")]}),
    "bans-block": Case([*BANS, acl(BLOCKS)], {
        "not there": [BANS[0], acl(BLOCKS)], "names no set": [config("[waf]\nenabled = true")],
        "no rule of the web ACL": [*BANS, acl({**BLOCKS, "action": [{"count": [{}]}]})]}),
    "common-threats": Case([acl(*GROUPS)], {
        "lacks the group": [acl(*GROUPS[1:])], "only counts": [acl(*GROUPS[1:], group("CommonRuleSet", override_action=[{"count": [{}]}]))]}),
    "wide-net": Case([acl({**RATE, "action": [{"block": [{}]}]})], {"no rate rule": [acl({**RATE, "action": [{"count": [{}]}]})]}),
    "verdicts-counted": Case([acl({"name": "a", "priority": 1, **SEEN}, {"name": "b", "priority": 2, **SEEN})], {
        "same priority": [acl({"name": "a", "priority": 1, **SEEN}, {"name": "b", "priority": 1, **SEEN})],
        "no metric": [acl({"name": "a", "priority": 1})]}),
}
INSIDE = {"ingress": written("ingress"), "egress": written("egress")}
