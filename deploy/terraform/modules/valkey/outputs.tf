output "url" {
  description = "fleet.url of weir's config."
  value       = "rediss://${aws_elasticache_replication_group.this.primary_endpoint_address}:6379"
}

output "user" {
  description = "fleet.user of weir's config."
  value       = aws_elasticache_user.weir.user_name
}

output "password_secret_arn" {
  description = "The secret with the password: for secrets of module service."
  # Of the version: tasks must not start before there is a value.
  value = aws_secretsmanager_secret_version.password.arn
}

output "node_ids" {
  description = "Nodes in CloudWatch's dimensions."
  value       = [for number in range(var.nodes) : format("%s-%03d", aws_elasticache_replication_group.this.replication_group_id, number + 1)]
}
