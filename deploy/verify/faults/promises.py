"""Faults that AWS would take and our rules must not."""
from lib.faults import Fault

M, E = "terraform/modules", "terraform/environments"


def broken(rule, name, place, old, new, short=False):
    return Fault(name, f"{M}/{place}" if not place.startswith("terraform/") else place, old, new, rule, short)


FAULTS = [
    # Who can be reached from where.
    broken("no-public-task", "a public task", "service", "assign_public_ip = false", "assign_public_ip = true", short=True),
    broken("no-public-task", "addresses for all that starts in a subnet", "network", "map_public_ip_on_launch = false", "map_public_ip_on_launch = true"),
    broken("private-subnets", "tasks where the internet comes in", f"{E}/common", "subnet_ids = module.network.private_subnet_ids", "subnet_ids = module.network.public_subnet_ids"),
    broken("open-doors", "a port open to everybody", "network", "port = 80", "port = 22"),
    broken("one-way-in", "a way around weir", "network", 'origin = { from = "weir"', 'origin = { from = "balancer"'),
    broken("one-way-in", "people who reach weir without being declared", "network", "for_each = var.operator_security_group_ids\n security_group_id = aws_security_group.this[\"weir\"].id",
           "for_each = toset([\"sg-0123456789abcdef0\"])\n security_group_id = aws_security_group.this[\"weir\"].id"),
    broken("one-way-in", "a store that the backend reaches", "network", 'store = { from = "weir"', 'store = { from = "backend"'),
    broken("private-buckets", "a bucket that can be opened", "audit", "block_public_policy = true", "block_public_policy = false"),
    # Who may do what.
    broken("resources-written-out", "a right on everything", "waf", "resources = [for set in aws_wafv2_ip_set.this : set.arn]", 'resources = ["*"]'),
    broken("actions-written-out", "a right with a wildcard", "service", '"ecr:BatchGetImage"', '"ecr:*"'),
    broken("own-metrics", "metrics of others", "service", 'Condition = { StringEquals = { "cloudwatch:namespace" = var.metric_namespace } }', ""),
    broken("bound-services", "a service that acts for any account", "key", 'Condition = { StringEquals = { "aws:SourceAccount"', 'Condition = { StringEqualsIfExists = { "aws:SourceAccount"'),
    broken("nobody-is-everybody", "an endpoint for everybody's principals", "network", '"aws:PrincipalAccount"', '"aws:RequestedRegion"'),
    broken("passed-roles", "a role that any service may be given", "operations", '"iam:PassedToService" =', '"aws:RequestedRegion" ='),
    # What is encrypted, and what lies in the open.
    broken("encrypted-at-rest", "a log group without the key", "waf", "kms_key_id = var.kms_key_arn", ""),
    broken("encrypted-at-rest", "a topic without the key", "monitoring", "kms_master_key_id = var.kms_key_arn", ""),
    broken("encrypted-at-rest", "a queue in the open", "guardduty", "sqs_managed_sse_enabled = true", "sqs_managed_sse_enabled = false"),
    broken("encrypted-at-rest", "a key that stays as it is", "key", "enable_key_rotation = true", "enable_key_rotation = false"),
    broken("encrypted-in-transit", "a store without TLS", "valkey", "transit_encryption_enabled = true", "transit_encryption_enabled = false"),
    broken("encrypted-in-transit", "old TLS", "load-balancer", "ssl_policy = var.tls_policy", 'ssl_policy = "ELBSecurityPolicy-2016-08"'),
    broken("tls-only", "a topic that takes plain HTTP", "monitoring", 'Condition = { Bool = { "aws:SecureTransport" = "false" } }', 'Condition = { Bool = { "aws:SecureTransport" = "true" } }'),
    broken("no-open-secrets", "a secret in a variable", "service", '{ name = "AWS_REGION", value', '{ name = "STORE_PASSWORD", value'),
    broken("no-open-secrets", "a secret in the state", "valkey", "secret_string_wo = var.password\n secret_string_wo_version = var.password_version", 'secret_string = "hunter2"'),
    # What is logged.
    broken("network-logged", "a balancer without logs", "load-balancer", "access_logs {\n enabled = true", "access_logs {\n enabled = false"),
    broken("network-logged", "no flow logs", "network", 'resource "aws_flow_log" "this" {', 'resource "aws_flow_log" "this" {\n  count = 0'),
    broken("redacted", "cookies in the web ACL's log", "waf", 'toset(["authorization", "cookie"])', 'toset(["authorization"])'),
    broken("floods-affordable", "a line for each request of a flood", "waf", "labels = toset(values(local.labels))", "labels = toset([local.labels.ban])"),
    broken("floods-affordable", "bans without the label that the log leaves out", "waf", "rule_label {\n name = local.labels.ban\n }", ""),
    broken("account-logged", "a trail of one Region", "audit", "is_multi_region_trail = true", "is_multi_region_trail = false"),
    broken("tasks-logged", "requests that wait for a log", "service", '"mode" = "non-blocking"', '"mode" = "blocking"'),
    broken("retention", "logs of a week", f"{E}/production/terraform.tfvars", "retention_days = 365", "retention_days = 7"),
    # The web ACL and the balancer.
    broken("bans-block", "a set that only counts", "waf", "priority = rule.value.priority\n action {\n block {}", "priority = rule.value.priority\n action {\n count {}"),
    broken("bans-block", "a set that weir does not find", f"{E}/common", "ipv4 = module.waf.ipv4_sets", 'ipv4 = ["weir-ipv4"]'),
    broken("web-acl-in-front", "no web ACL in front", "waf", 'resource "aws_wafv2_web_acl_association" "this" {', 'resource "aws_wafv2_web_acl_association" "this" {\n  count = 0'),
    broken("wide-net", "a rate rule by nobody's address", "waf", "rate_based_statement {\n aggregate_key_type = \"IP\"\n limit = var.rate_limit\n evaluation_window_sec = 60\n }",
           "ip_set_reference_statement {\n arn = \"arn:aws:wafv2:us-east-1:123456789012:regional/ipset/a/b\"\n }"),
    broken("left-alone", "bans that an apply takes out", "waf", "ignore_changes = [addresses]", "ignore_changes = [description]", short=True),
    broken("left-alone", "weights that an apply turns back", "load-balancer", "ignore_changes = [default_action]", "ignore_changes = [tags]"),
    broken("left-alone", "a release that an apply turns back", "service", "ignore_changes = [task_definition, desired_count]", "ignore_changes = [desired_count]"),
    broken("client-address-told", "clients without their ports", "load-balancer", "enable_xff_client_port = true", "enable_xff_client_port = false"),
    broken("no-smuggling", "header fields that are none", "load-balancer", "drop_invalid_header_fields = true", "drop_invalid_header_fields = false"),
    # How tasks run.
    broken("hardened", "people who step into containers", "service", "enable_execute_command = false", "enable_execute_command = true"),
    broken("open-files", "a thousand connections and no more", "service", "hardLimit = 65535", "hardLimit = 1024"),
    broken("time-to-drain", "killed before it has drained", "service", "stopTimeout = 40", "stopTimeout = 10"),
    broken("time-to-drain", "a drain that takes longer", f"{E}/common", 'drain_timeout = "25s"', 'drain_timeout = "90s"'),
    broken("bad-releases-end", "a bad deployment that stays", "service", "enable = true\n rollback = true", "enable = true\n rollback = false"),
    broken("keepalive-outlives", "connections that weir closes first", f"{E}/common", 'keepalive_timeout = "75s"', 'keepalive_timeout = "30s"'),
    broken("trusted-proxies", "everybody's word on who they are", f"{E}/common", 'trusted_proxies = ${jsonencode(balancer)}', 'trusted_proxies = ["0.0.0.0/0"]'),
    broken("admin-closed", "an admin address without a token", f"{E}/common", "\ntoken_file =", "\n# token_file ="),
    broken("config-is-toml", "a config that is none", f"{E}/common", '[admin]\naddress', '[listen]\naddress'),
    # What outlives a mistake.
    broken("kept-from-deletion", "a balancer that goes by one command", "load-balancer", "enable_deletion_protection = var.protected", "enable_deletion_protection = false"),
    broken("kept-from-deletion", "a record that can be shortened", "audit", '"COMPLIANCE"', '"GOVERNANCE"'),
    broken("backed-up", "a store without a copy", "valkey", "snapshot_retention_limit = var.protected ? 7 : 0", "snapshot_retention_limit = 0"),
    broken("zones", "a store in one zone", "valkey", "multi_az_enabled = true", "multi_az_enabled = false"),
]
