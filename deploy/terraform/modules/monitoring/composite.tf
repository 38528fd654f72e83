# What people and releases act on: one alarm for each thing to do, however many others it is made of.

locals {
  attack   = ["attack", "overload"]
  critical = concat([for rule, alarm in local.weir : rule if alarm.critical && !contains(local.attack, rule)], [for name, alarm in local.aws : name if alarm.critical], keys(local.reckoned), ["no-healthy"])
  # Harm to people who did nothing wrong, or errors; not server-errors, which counts what weir refuses in an attack.
  rollback = concat(["known-refused", "silent", "no-healthy"], keys(local.reckoned), ["balancer-5xx"], [for colour in keys(var.target_group_suffixes) : "unhealthy-${colour}"])
  names = merge(
    { for rule, alarm in aws_cloudwatch_metric_alarm.weir : rule => alarm.alarm_name },
    { for name, alarm in aws_cloudwatch_metric_alarm.aws : name => alarm.alarm_name },
    { for name, alarm in aws_cloudwatch_metric_alarm.reckoned : name => alarm.alarm_name },
    { no-healthy = aws_cloudwatch_composite_alarm.nobody.alarm_name },
  )
}

# Part of the two below.
resource "aws_cloudwatch_composite_alarm" "nobody" {
  alarm_name        = "${var.prefix}-no-healthy"
  alarm_description = "No task of weir is healthy, in no colour: nobody is served"
  alarm_rule        = join(" AND ", [for alarm in aws_cloudwatch_metric_alarm.empty : "ALARM(\"${alarm.alarm_name}\")"])
}

resource "aws_cloudwatch_composite_alarm" "critical" {
  alarm_name        = "${var.prefix}-critical"
  alarm_description = "Something critical: the child alarms say what; docs/runbooks says what to do"
  alarm_rule        = join(" OR ", [for name in local.critical : "ALARM(\"${local.names[name]}\")"])
  alarm_actions     = [aws_sns_topic.this.arn]
  ok_actions        = [aws_sns_topic.this.arn]
  lifecycle {
    precondition {
      condition     = length(local.names) == length(local.weir) + length(local.aws) + length(local.reckoned) + 1
      error_message = "A rule of weir's list is called like an alarm of this module: give it another name in [[alert]]."
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "attack" {
  alarm_name        = "${var.prefix}-under-attack"
  alarm_description = "An attack: weir holds it back, or AWS WAF does; docs/runbooks/attack.md says what to look at"
  alarm_rule        = join(" OR ", [for name in concat([for rule in local.attack : rule if contains(keys(local.weir), rule)], ["waf-blocks"]) : "ALARM(\"${local.names[name]}\")"])
  alarm_actions     = [aws_sns_topic.this.arn]
  ok_actions        = [aws_sns_topic.this.arn]
}

# Nobody is told by this one: the release that it turns back tells.
resource "aws_cloudwatch_composite_alarm" "rollback" {
  alarm_name        = "${var.prefix}-rollback"
  alarm_description = "A release that does harm: known clients refused, errors, or tasks that are not ready"
  alarm_rule        = join(" OR ", [for name in local.rollback : "ALARM(\"${local.names[name]}\")"])
}
