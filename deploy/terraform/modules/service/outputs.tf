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

output "backend_address" {
  description = "Where weir finds the backend: origin.addresses of its config."
  value       = "${local.service_connect ? "backend" : "backend.${var.prefix}.internal"}:${var.backend.port}"
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
  description = "Log groups by name: weir, backend, and connect where Service Connect is used."
  value       = { for name, group in aws_cloudwatch_log_group.this : name => group.name }
}
