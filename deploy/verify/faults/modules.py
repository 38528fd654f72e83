"""Faults that Terraform finds on today's schema, or the stub as AWS would, one or more in each module."""
from lib.faults import DOCUMENTS, TERRAFORM, Fault

M, E = "terraform/modules", "terraform/environments"


def refused(name, place, old, new, short=False):
    return Fault(name, place, old, new, TERRAFORM, short)


FAULTS = [
    refused("an argument that does not exist", f"{M}/load-balancer", "drop_invalid_header_fields =", "drop_invalid_headers =", short=True),
    refused("a block that does not exist", f"{M}/service", "deployment_circuit_breaker {", "circuit_breaker {"),
    refused("a number where a list belongs", f"{M}/service", "subnets = var.subnet_ids", "subnets = 3"),
    refused("an argument that only AWS sets", f"{M}/key", "enable_key_rotation = true", 'enable_key_rotation = true\n  arn = "x"'),
    refused("a required argument left out", f"{M}/valkey", 'description = "Bans, limits and leadership of weir"', ""),
    refused("a resource that is not there", f"{M}/load-balancer", "bucket = aws_s3_bucket.logs.id\n rule", "bucket = aws_s3_bucket.log.id\n rule"),
    refused("an output of another module that is not there", f"{E}/common", "module.network.private_subnet_ids", "module.network.inner_subnet_ids"),
    refused("a variable that nobody declares", f"{M}/dns", "var.zone_id", "var.zone"),
    refused("a rule of AWS Config without its source", f"{M}/audit", 'owner = "AWS"', ""),
    refused("a budget without its limit", f"{M}/operations", "limit_amount =", "limit ="),
    refused("an alarm without its comparison", f"{M}/monitoring", 'comparison_operator = "GreaterThanThreshold"', ""),
    refused("a target without its queue", f"{M}/guardduty", "arn = aws_sqs_queue.findings.arn\n dead_letter_config", "dead_letter_config"),
    refused("a deployment without its strategy", f"{M}/config-source", "deployment_strategy_id = aws_appconfig_deployment_strategy.this[0].id", ""),
    refused("a retention that CloudWatch lacks", f"{M}/service", "retention_in_days = var.retention_days", "retention_in_days = 91"),
    refused("memory that Fargate lacks", f"{E}/common", "memory = optional(number, 2048)", "memory = optional(number, 1000)"),
    refused("a description that EC2 refuses", f"{M}/network", '"the store that weir shares"', '"the fleet\'s store"'),
    refused("a name that is too long", f"{M}/load-balancer", 'name = "${var.prefix}-${each.key}"', 'name = "${var.prefix}-group-of-targets-${each.key}"'),
    refused("a policy with a misspelt key", f"{M}/guardduty", "Resource = aws_sqs_queue.findings.arn", "Resources = aws_sqs_queue.findings.arn"),
    refused("a zone of another Region", f"{E}/production/terraform.tfvars", '"eu-central-1c"', '"eu-west-1c"', short=True),
    refused("production that may be deleted", f"{E}/production/terraform.tfvars", "protected = true", "protected = false"),
    refused("an account that is none", f"{E}/production/terraform.tfvars", 'account_id = "123456789012"', 'account_id = "1234"'),
    refused("a rate without its unit", f"{E}/production/terraform.tfvars", 'rate = "10/s"', 'rate = "10"'),
    refused("a config source that is none", f"{E}/production/terraform.tfvars", 'config_kind = "appconfig"', 'config_kind = "consul"'),
    # What Terraform passes on without looking into it.
    Fault("an action that AWS does not have", f"{M}/service", '"ecr:BatchGetImage"', '"ecr:BatchGetImages"', DOCUMENTS, short=True),
    Fault("a service that AWS does not have", f"{M}/waf", '"wafv2:GetIPSet"', '"waf2:GetIPSet"', DOCUMENTS),
    Fault("a key that containers lack", f"{M}/service", "readonlyRootFilesystem = true", "readonlyRootFileSystem = true", DOCUMENTS),
    Fault("a condition that is none", f"{M}/key", "Condition = { StringEquals", "Condition = { StringEqual", DOCUMENTS),
    Fault("an event that has no such part", f"{M}/guardduty", "detail-type =", "detailtype =", DOCUMENTS),
    Fault("a step of a document that is misspelt", f"{M}/operations/documents", "inputs:", "input:", DOCUMENTS),
    Fault("a parameter that a document lacks", f"{M}/operations/documents", "{{ Network }}", "{{ Address }}", DOCUMENTS),
    Fault("a widget of no kind", f"{M}/monitoring", 'type = "metric"', 'type = "metrics"', DOCUMENTS),
    Fault("a composite of an alarm that is not there", f"{M}/monitoring", 'ALARM(\\"${name}\\")', 'ALARM(\\"${name}-x\\")', DOCUMENTS),
]
