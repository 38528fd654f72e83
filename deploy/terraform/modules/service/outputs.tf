output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "weir's services by colour."
  value       = { for colour, service in aws_ecs_service.weir : colour => service.name }
}

output "backend_service_name" {
  description = "The backend's service."
  value       = aws_ecs_service.backend.name
}

output "task_definition_arn" {
  description = "The newest revision of weir's task definition, which a rollout starts."
  value       = aws_ecs_task_definition.weir.arn
}

output "task_role_arn" {
  description = "weir's role."
  value       = aws_iam_role.weir.arn
}

output "log_groups" {
  description = "Log groups by name: weir, backend, connect."
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}
