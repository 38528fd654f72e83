# Alarms from weir's one list (weir alarms writes it), beside those of the load balancer, ECS and AWS WAF.

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

resource "aws_cloudwatch_metric_alarm" "aws" {
  for_each            = local.aws
  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.minutes
  threshold           = each.value.above
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = each.value.critical ? [] : [aws_sns_topic.this.arn]
  ok_actions          = each.value.critical ? [] : [aws_sns_topic.this.arn]
}

# Requests that are far from what is usual at this hour: a flood, or a service that nobody reaches.
resource "aws_cloudwatch_metric_alarm" "unusual" {
  alarm_name          = "${var.prefix}-unusual-requests"
  alarm_description   = "Requests are far from what is usual at this hour"
  comparison_operator = "LessThanLowerOrGreaterThanUpperThreshold"
  evaluation_periods  = 5
  datapoints_to_alarm = 4
  threshold_metric_id = "usual"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  metric_query {
    id          = "usual"
    expression  = "ANOMALY_DETECTION_BAND(requests, ${var.anomaly_width})"
    label       = "usual"
    return_data = true
  }
  metric_query {
    id          = "requests"
    return_data = true
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      dimensions  = { LoadBalancer = var.load_balancer_suffix }
      period      = 60
      stat        = "Sum"
    }
  }
}
