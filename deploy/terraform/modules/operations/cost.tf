# What it may cost, and who hears when it costs more.

resource "aws_budgets_budget" "this" {
  name         = var.prefix
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Project$%s", var.prefix)]
  }
  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }
    content {
      comparison_operator       = "GREATER_THAN"
      notification_type         = notification.key
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [var.topic_arn]
    }
  }
}

# By this environment's tag: an account takes one monitor of all services only, and new accounts have that already.
resource "aws_ce_anomaly_monitor" "this" {
  name         = var.prefix
  monitor_type = "CUSTOM"
  monitor_specification = jsonencode({
    And            = null
    CostCategories = null
    Dimensions     = null
    Not            = null
    Or             = null
    Tags           = { Key = "Project", MatchOptions = null, Values = [var.prefix] }
  })
}

resource "aws_ce_anomaly_subscription" "this" {
  name             = var.prefix
  frequency        = "IMMEDIATE"
  monitor_arn_list = [aws_ce_anomaly_monitor.this.arn]
  subscriber {
    type    = "SNS"
    address = var.topic_arn
  }
  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = [tostring(var.anomaly_dollars)]
    }
  }
}

# Bills by tag; only the organisation's payer account may turn these on.
resource "aws_ce_cost_allocation_tag" "this" {
  for_each = var.activate_cost_tags ? toset(["Project", "Environment"]) : toset([])
  tag_key  = each.key
  status   = "Active"
}
