# What the web ACL did, without what would let a reader act as the client.

resource "aws_cloudwatch_log_group" "this" {
  # AWS WAF takes no name that does not begin so.
  name              = "aws-waf-logs-${var.prefix}"
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  dynamic "redacted_fields" {
    for_each = toset(["authorization", "cookie"])
    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  # AWS WAF takes the first filter that fits, and Terraform keeps no order among filters: so there is one.
  logging_filter {
    default_behavior = local.log.default
    filter {
      behavior    = local.log.filter
      requirement = "MEETS_ANY"
      dynamic "condition" {
        for_each = local.log.actions
        content {
          action_condition {
            action = condition.value
          }
        }
      }
      dynamic "condition" {
        for_each = local.log.labels
        content {
          label_name_condition {
            label_name = "awswaf:${data.aws_caller_identity.this.account_id}:webacl:${aws_wafv2_web_acl.this.name}:${condition.value}"
          }
        }
      }
    }
  }
}

data "aws_caller_identity" "this" {}

locals {
  # What the rules that block by the thousand put on a request.
  labels = { ban = "weir:ban", rate = "weir:rate" }
  # What passed is in the load balancer's log and in weir's. What weir's sets and the rate rule block is most of a flood: a
  # line of each would be the dearest part of it, metrics count it, and weir's own log says who was banned and why.
  log = (var.log_all
    ? { default = "DROP", filter = "KEEP", actions = toset(["BLOCK", "COUNT", "EXCLUDED_AS_COUNT", "CHALLENGE", "CAPTCHA"]), labels = toset([]) }
  : { default = "KEEP", filter = "DROP", actions = toset(["ALLOW"]), labels = toset(values(local.labels)) })
}
