"""Faults put into a copy of the modules: each must be caught, or the checks are worth nothing.

(name, file under deploy/terraform, what stands there, what is put there instead)"""
from . import terraform as tf

SERVICE, NET, LB = "modules/service", "modules/network", "modules/load-balancer"
FAULTS = [
    # What Terraform catches on today's schema.
    ("an argument that does not exist", f"{LB}/main.tf", "drop_invalid_header_fields = true", "drop_invalid_headers = true"),
    ("a block that does not exist", f"{SERVICE}/main.tf", "deployment_circuit_breaker {", "circuit_breaker {"),
    ("a number where a list belongs", f"{SERVICE}/main.tf", "subnets          = var.subnet_ids", "subnets          = 3"),
    ("an argument that only AWS sets", "modules/key/main.tf", "enable_key_rotation     = true", 'enable_key_rotation     = true\n  arn = "x"'),
    ("a required argument left out", "modules/valkey/main.tf", 'description          = "Bans, limits and leadership of weir"', ""),
    ("a resource that is not there", f"{LB}/main.tf", "aws_s3_bucket.logs.id\n    prefix  = \"access\"", "aws_s3_bucket.log.id\n    prefix  = \"access\""),
    # What the stub catches, as AWS would.
    ("a retention that CloudWatch lacks", f"{SERVICE}/main.tf", "retention_in_days = var.retention_days", "retention_in_days = 91"),
    ("memory that Fargate lacks", "environments/common/variables.tf", "memory          = optional(number, 2048)", "memory          = optional(number, 1000)"),
    ("a description that EC2 refuses", f"{NET}/security-groups.tf", '"the store that weir shares"', '"the fleet\'s store"'),
    ("a name that is too long", f"{LB}/main.tf", 'name        = "${var.prefix}-${each.key}"', 'name        = "${var.prefix}-group-of-targets-${each.key}"'),
    ("a policy with a misspelt key", "modules/guardduty/main.tf", 'Resource  = aws_sqs_queue.findings.arn\n        Condition = { ArnEquals', 'Resources = aws_sqs_queue.findings.arn\n        Condition = { ArnEquals'),
    # What our own rules catch.
    ("a public task", f"{SERVICE}/main.tf", "assign_public_ip = false", "assign_public_ip = true"),
    ("a group open to everybody", f"{NET}/security-groups.tf", "port = 80", "port = 22"),
    ("a right on everything", "modules/waf/outputs.tf", "resources = [for set in aws_wafv2_ip_set.this : set.arn]", 'resources = ["*"]'),
    ("a right with a wildcard", f"{SERVICE}/roles.tf", '"ecr:BatchGetImage", ', '"ecr:*", '),
    ("metrics of others", f"{SERVICE}/roles.tf", 'Condition = { StringEquals = { "cloudwatch:namespace" = var.metric_namespace } }', ""),
    ("a log group without the key", "modules/waf/logs.tf", "kms_key_id        = var.kms_key_arn", ""),
    ("a topic without the key", "modules/monitoring/tell.tf", "kms_master_key_id = var.kms_key_arn", ""),
    ("a store without TLS", "modules/valkey/main.tf", "transit_encryption_enabled = true", "transit_encryption_enabled = false"),
    ("a balancer without logs", f"{LB}/main.tf", 'enabled = true\n    bucket  = aws_s3_bucket.logs.id\n    prefix  = "access"', 'enabled = false\n    bucket  = aws_s3_bucket.logs.id\n    prefix  = "access"'),
    ("no flow logs", f"{NET}/flow-logs.tf", 'resource "aws_flow_log" "this" {', 'resource "aws_flow_log" "this" {\n  count = 0'),
    ("cookies in the web ACL's log", "modules/waf/logs.tf", 'toset(["authorization", "cookie"])', 'toset(["authorization"])'),
    ("a set that only counts", "modules/waf/main.tf", "      priority = rule.value.priority\n      action {\n        block {}", "      priority = rule.value.priority\n      action {\n        count {}"),
    ("no web ACL in front", "modules/waf/main.tf", 'resource "aws_wafv2_web_acl_association" "this" {', 'resource "aws_wafv2_web_acl_association" "this" {\n  count = 0'),
    ("requests without TLS", f"{LB}/main.tf", 'type = "redirect"\n    redirect {\n      port        = "443"\n      protocol    = "HTTPS"\n      status_code = "HTTP_301"\n    }', 'type             = "forward"\n    target_group_arn = aws_lb_target_group.this["blue"].arn'),
    ("a container that writes to its root", f"{SERVICE}/tasks.tf", "readonlyRootFilesystem = true\n    privileged             = false\n    linuxParameters        = {", "readonlyRootFilesystem = false\n    privileged             = false\n    linuxParameters        = {"),
    ("killed before it has drained", f"{SERVICE}/tasks.tf", "stopTimeout      = 40\n    logConfiguration = { logDriver = \"awslogs\", options = local.logs[\"weir\"] }", "stopTimeout      = 10\n    logConfiguration = { logDriver = \"awslogs\", options = local.logs[\"weir\"] }"),
    ("a secret in the open", f"{SERVICE}/tasks.tf", '{ name = "WEIR_TOKEN_FILE", value', '{ name = "WEIR_PASSWORD", value'),
    ("a bad deployment that stays", f"{SERVICE}/main.tf", "enable   = true\n    rollback = true", "enable   = true\n    rollback = false"),
    ("production without protection", f"{LB}/main.tf", "enable_deletion_protection       = var.protected", "enable_deletion_protection       = false"),
    ("a record that can be shortened", "modules/audit/trail.tf", '"COMPLIANCE"', '"GOVERNANCE"'),
    ("a bucket that is public", "modules/audit/trail.tf", "block_public_policy     = true", "block_public_policy     = false"),
]


def caught(fault, env, judge):
    """How a fault is caught: by whom, or None."""
    name, path, old, new = fault
    with tf.copy() as terraform:
        file = terraform / path
        text = file.read_text()
        if old not in text:
            raise tf.Failed(f"fault {name!r}: {path} no longer holds {old!r}")
        file.write_text(text.replace(old, new))
        try:
            plan = tf.plan_json(terraform / "environments/production", env)
        except tf.Failed as failed:
            lines = [line.strip() for line in str(failed).splitlines() if line.startswith("Error")]
            return "terraform: " + (lines[0] if lines else "failed")
        broken = judge(plan, True)
        return f"rule {broken[0][0]}: {broken[0][1]} {broken[0][2]}" if broken else None
