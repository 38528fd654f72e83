# The service behind weir, and how weir finds its tasks: decision 31 (docs/decisions).

# A name in the VPC alone. Cloud Map answers with the addresses of healthy tasks, eight at most.
resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "${var.prefix}.internal"
  description = "Services of ${var.prefix} by name"
  vpc         = var.vpc_id
}

resource "aws_service_discovery_service" "backend" {
  count = local.service_connect ? 0 : 1
  name  = "backend"
  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"
    dns_records {
      type = "A"
      ttl  = 10
    }
  }
  # ECS says which tasks are healthy. AWS takes no other threshold; without the argument each plan would make it anew.
  health_check_custom_config {
    failure_threshold = 1
  }
}

resource "aws_ecs_service" "backend" {
  name                               = "${var.prefix}-backend"
  cluster                            = aws_ecs_cluster.this.arn
  task_definition                    = aws_ecs_task_definition.backend.arn
  desired_count                      = var.backend.min_tasks
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.backend_security_group_id]
    assign_public_ip = false
  }
  dynamic "service_registries" {
    for_each = aws_service_discovery_service.backend
    content {
      registry_arn = service_registries.value.arn
    }
  }
  dynamic "service_connect_configuration" {
    for_each = local.service_connect ? [1] : []
    content {
      enabled   = true
      namespace = aws_service_discovery_private_dns_namespace.this.arn
      service {
        port_name      = "http"
        discovery_name = "backend"
        client_alias {
          dns_name = "backend"
          port     = var.backend.port
        }
        timeout {
          # None of its own: weir's read_timeout holds.
          per_request_timeout_seconds = 0
        }
      }
      log_configuration {
        log_driver = "awslogs"
        options    = local.logs["connect"]
      }
    }
  }
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  lifecycle {
    ignore_changes = [desired_count]
  }
}

# It scales by its own CPU; weir's origin.capacity holds back what it can't bear.
resource "aws_appautoscaling_target" "backend" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.backend.name}"
  min_capacity       = var.backend.min_tasks
  max_capacity       = var.backend.max_tasks
}

resource "aws_appautoscaling_policy" "backend" {
  name               = "${var.prefix}-backend-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.backend.resource_id
  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

locals {
  service_connect = var.backend.discovery == "service-connect"
}
