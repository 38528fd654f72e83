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

  # What passed is in the load balancer's log and in weir's.
  logging_filter {
    default_behavior = "DROP"
    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"
      dynamic "condition" {
        for_each = toset(["BLOCK", "COUNT", "CHALLENGE", "CAPTCHA"])
        content {
          action_condition {
            action = condition.value
          }
        }
      }
    }
  }
}
