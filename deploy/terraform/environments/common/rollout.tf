# What a release needs to know of all this: an output for a laptop, a parameter for the pipeline.

locals {
  rollout = {
    cluster         = module.service.cluster_name
    services        = module.service.service_names
    task_definition = module.service.task_definition_arn
    listener        = module.load_balancer.listener_arn
    test_listener   = module.load_balancer.test_listener_arn
    target_groups   = { for colour, group in module.load_balancer.target_groups : colour => group.arn }
    alarms          = [module.monitoring.rollback_alarm_name]
    # As [cloudwatch] in weir.toml.tftpl has them.
    metrics = { namespace = "weir", dimensions = { Service = "weir", Environment = var.environment } }
  }
}

resource "aws_ssm_parameter" "rollout" {
  name        = "/${var.prefix}/rollout"
  description = "What deploy/bin/rollout needs to know"
  type        = "String"
  value       = jsonencode(local.rollout)
}
