# The cluster, and weir in two colours behind the load balancer.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

resource "aws_ecs_cluster" "this" {
  name = var.prefix
  setting {
    name  = "containerInsights"
    value = "enhanced"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(local.service_connect ? ["weir", "backend", "connect"] : ["weir", "backend"])
  name              = "/${var.prefix}/${each.key}"
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_service" "weir" {
  for_each        = var.target_groups
  name            = "${var.prefix}-${each.key}"
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.weir.arn
  # The colour that is not live has no tasks until a rollout gives it some.
  desired_count                      = each.key == var.first_colour ? var.weir.min_tasks : 0
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  health_check_grace_period_seconds  = 30
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.weir_security_group_id]
    assign_public_ip = false
  }
  load_balancer {
    target_group_arn = each.value.arn
    container_name   = "weir"
    container_port   = var.weir.port
  }
  dynamic "service_connect_configuration" {
    for_each = local.service_connect ? [1] : []
    content {
      enabled   = true
      namespace = aws_service_discovery_private_dns_namespace.this.arn
      log_configuration {
        log_driver = "awslogs"
        options    = local.logs["connect"]
      }
    }
  }
  # Tasks that do not come up end the deployment, and so does an alarm.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  dynamic "alarms" {
    for_each = length(var.rollback_alarms) > 0 ? [1] : []
    content {
      alarm_names = var.rollback_alarms
      enable      = true
      rollback    = true
    }
  }
  # These belong to the rollout and to autoscaling; an apply must not undo them.
  lifecycle {
    ignore_changes = [task_definition, desired_count]
  }
}
