output "document_names" {
  description = "What operators can start."
  value       = { for name, document in aws_ssm_document.this : name => document.name }
}

output "operator_policy_arn" {
  description = "The policy for people on call: may start these documents and nothing else."
  value       = aws_iam_policy.operator.arn
}
