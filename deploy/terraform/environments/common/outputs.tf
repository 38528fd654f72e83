output "url" {
  description = "Where clients go."
  value       = "https://${var.dns == null ? module.load_balancer.dns_name : var.dns.name}"
}

output "rollout" {
  description = "What deploy/bin/rollout needs to know."
  value = {
    cluster         = module.service.cluster_name
    services        = module.service.service_names
    task_definition = module.service.task_definition_arn
    listener        = module.load_balancer.listener_arn
    test_listener   = module.load_balancer.test_listener_arn
    target_groups   = { for colour, group in module.load_balancer.target_groups : colour => group.arn }
    alarm           = module.monitoring.rollback_alarm_name
  }
}

output "documents" {
  description = "What operators can start."
  value       = module.operations.document_names
}

output "gate" {
  description = "What the pipeline's gate looks at before a release."
  value       = { pack = module.audit.conformance_pack, promises = module.audit.promises_rule }
}
