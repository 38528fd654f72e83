# What needs arithmetic over the traffic: harm by a release, requests out of the ordinary.

locals {
  # name → what to reckon from, how, and what it means.
  reckoned = {
    # In an attack weir's own refusals are 503 too, and no reason to turn a release back: so these count the origin's
    # errors and weir's failures alone, of at least 100 requests a minute, in two minutes of three.
    "origin-errors" = {
      why        = "One in a hundred of the origin's answers is 5xx"
      metrics    = { for class in ["2xx", "3xx", "4xx", "5xx"] : "c${class}" => { namespace = var.metric_namespace, metric = "OriginResponses", stat = "Sum", dimensions = merge(local.ours, { Class = class }) } }
      expression = "IF(SUM([c2xx, c3xx, c4xx, c5xx]) >= 100, c5xx / SUM([c2xx, c3xx, c4xx, c5xx]), 0)"
    }
    "faults" = {
      why        = "weir fails one request in a hundred: no connection to the origin, no answer, or a fault of its own"
      metrics    = { for name in ["Forwarded", "Faults"] : lower(name) => { namespace = var.metric_namespace, metric = name, stat = "Sum", dimensions = local.ours } }
      expression = "IF(SUM([forwarded, faults]) >= 100, faults / SUM([forwarded, faults]), 0)"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "reckoned" {
  for_each            = local.reckoned
  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.why
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.01
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "value"
    expression  = each.value.expression
    label       = each.key
    return_data = true
  }
  dynamic "metric_query" {
    for_each = each.value.metrics
    content {
      id          = metric_query.key
      return_data = false
      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        period      = 60
        stat        = metric_query.value.stat
      }
    }
  }
}

# Requests that are far from what is usual at this hour: a flood, or a service that nobody reaches.
resource "aws_cloudwatch_metric_alarm" "unusual" {
  alarm_name          = "${var.prefix}-unusual-requests"
  alarm_description   = "Requests are far from what is usual at this hour"
  comparison_operator = "LessThanLowerOrGreaterThanUpperThreshold"
  evaluation_periods  = 5
  datapoints_to_alarm = 4
  threshold_metric_id = "usual"
  # No request at all is as unusual as it gets, where somebody always comes.
  treat_missing_data = var.always_used ? "breaching" : "notBreaching"
  alarm_actions      = [aws_sns_topic.this.arn]
  ok_actions         = [aws_sns_topic.this.arn]
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
      dimensions  = local.balancer
      period      = 60
      stat        = "Sum"
    }
  }
}
