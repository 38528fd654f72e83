output "queue_url" {
  description = "guardduty.queue_url of weir's config."
  value       = aws_sqs_queue.findings.url
}

output "queue_name" {
  description = "For an alarm on findings that nobody reads: findings_queue of module monitoring."
  value       = aws_sqs_queue.findings.name
}

output "poison_queue_url" {
  description = "guardduty.poison_queue_url of weir's config."
  value       = aws_sqs_queue.poison.url
}

output "poison_queue_name" {
  description = "For an alarm on messages that nobody understood."
  value       = aws_sqs_queue.poison.name
}

output "task_rights" {
  description = "What weir may do here: for task_rights of module service."
  value = {
    FindingsRead   = { actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"], resources = [aws_sqs_queue.findings.arn], condition = {} }
    FindingsPoison = { actions = ["sqs:SendMessage"], resources = [aws_sqs_queue.poison.arn], condition = {} }
  }
}
