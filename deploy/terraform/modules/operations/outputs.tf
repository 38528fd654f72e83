output "document_names" {
  description = "What operators can start."
  value       = { for name, document in aws_ssm_document.this : name => document.name }
}
