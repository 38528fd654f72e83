# Alarms from weir's one list, which `weir schema --alarms` writes: each of its rules becomes an alarm, query by query.

locals {
  list = jsondecode(file(var.alarms_file))
  # The list is written for some service; here it is this one's.
  ours = { Service = var.service, Environment = var.environment }
  weir = { for alarm in local.list.alarms : alarm.rule => merge(alarm, {
    critical = alarm.severity == "critical"
    queries = [for query in alarm.metric_queries : merge({ expression = null, label = null }, query, {
      metric = try(merge(query.metric, { namespace = var.metric_namespace, dimensions = merge(query.metric.dimensions, local.ours) }), null)
    })]
  }) }
}

resource "aws_cloudwatch_metric_alarm" "weir" {
  for_each            = local.weir
  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.description
  comparison_operator = each.value.comparison_operator
  threshold           = each.value.threshold
  evaluation_periods  = each.value.evaluation_periods
  datapoints_to_alarm = each.value.datapoints_to_alarm
  treat_missing_data  = each.value.treat_missing_data
  # Critical ones tell people through the composite alarms, once, and not each by itself.
  alarm_actions = each.value.critical ? [] : [aws_sns_topic.this.arn]
  ok_actions    = each.value.critical ? [] : [aws_sns_topic.this.arn]

  dynamic "metric_query" {
    for_each = each.value.queries
    content {
      id          = metric_query.value.id
      expression  = metric_query.value.expression
      label       = metric_query.value.label
      return_data = metric_query.value.return_data
      dynamic "metric" {
        for_each = metric_query.value.metric == null ? [] : [metric_query.value.metric]
        content {
          namespace   = metric.value.namespace
          metric_name = metric.value.metric_name
          dimensions  = metric.value.dimensions
          period      = metric.value.period
          stat        = metric.value.stat
        }
      }
    }
  }
}
