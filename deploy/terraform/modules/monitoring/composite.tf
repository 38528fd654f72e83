# One word to people for what is critical, however many alarms it sets off.
resource "aws_cloudwatch_composite_alarm" "critical" {
  alarm_name        = "${var.prefix}-critical"
  alarm_description = "Something critical: the child alarms say what; docs/runbooks says what to do"
  alarm_rule        = join(" OR ", [for name in local.critical : "ALARM(\"${name}\")"])
  alarm_actions     = [aws_sns_topic.this.arn]
  ok_actions        = [aws_sns_topic.this.arn]
}

# What turns a release back: harm to people who did nothing wrong, or errors.
resource "aws_cloudwatch_composite_alarm" "rollback" {
  alarm_name        = "${var.prefix}-rollback"
  alarm_description = "A release that does harm: known clients refused, or server errors"
  alarm_rule        = join(" OR ", [for name in local.rollback : "ALARM(\"${name}\")"])
}

locals {
  critical = concat(
    [for alarm in aws_cloudwatch_metric_alarm.weir : alarm.alarm_name if local.weir[trimprefix(alarm.alarm_name, "${var.prefix}-")].critical],
    [for alarm in aws_cloudwatch_metric_alarm.aws : alarm.alarm_name if local.aws[trimprefix(alarm.alarm_name, "${var.prefix}-")].critical],
  )
  rollback = [for alarm in concat(values(aws_cloudwatch_metric_alarm.weir), values(aws_cloudwatch_metric_alarm.aws)) : alarm.alarm_name
  if contains(["known-refused", "server-errors", "origin-down", "balancer-5xx", "unhealthy-blue", "unhealthy-green"], trimprefix(alarm.alarm_name, "${var.prefix}-"))]
}
