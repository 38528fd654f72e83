output "url" {
  description = "Where clients go."
  value       = "https://${var.dns == null ? module.load_balancer.dns_name : var.dns.name}"
}

output "rollout" {
  description = "What deploy/bin/rollout needs to know; the pipeline reads the same from the parameter /PREFIX/rollout."
  value       = local.rollout
}

output "documents" {
  description = "What operators can start."
  value       = module.operations.document_names
}

output "gate" {
  description = "What the pipeline's gate looks at before a release."
  value       = { pack = module.audit.conformance_pack, promises = module.audit.promises_rule }
}
