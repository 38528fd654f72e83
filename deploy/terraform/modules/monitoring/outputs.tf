output "topic_arn" {
  description = "The topic that tells people."
  value       = aws_sns_topic.this.arn
}

output "rollback_alarm_name" {
  description = "The alarm that turns a release back."
  value       = aws_cloudwatch_composite_alarm.rollback.alarm_name
}

output "critical_alarm_arn" {
  description = "The alarm for everything critical."
  value       = aws_cloudwatch_composite_alarm.critical.arn
}

output "rollback_alarm_arn" {
  description = "The same alarm's ARN, for AppConfig."
  value       = aws_cloudwatch_composite_alarm.rollback.arn
}

output "attack_alarm_arn" {
  description = "The alarm for an attack."
  value       = aws_cloudwatch_composite_alarm.attack.arn
}
