# How many tasks: by requests a task, by CPU, and at once when weir says that an attack is on.

resource "aws_appautoscaling_target" "weir" {
  for_each           = var.target_groups
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.weir[each.key].name}"
  min_capacity       = each.key == var.first_colour ? var.weir.min_tasks : 0
  max_capacity       = var.weir.max_tasks
  # The rollout gives the live colour its minimum, and takes it from the other.
  lifecycle {
    ignore_changes = [min_capacity]
  }
}

resource "aws_appautoscaling_policy" "requests" {
  for_each           = var.target_groups
  name               = "${var.prefix}-${each.key}-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.weir[each.key].resource_id
  target_tracking_scaling_policy_configuration {
    # Requests a minute.
    target_value       = var.weir.requests_a_task * 60
    scale_out_cooldown = 30
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${var.load_balancer_suffix}/${each.value.arn_suffix}"
    }
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each           = var.target_groups
  name               = "${var.prefix}-${each.key}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.weir[each.key].resource_id
  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 30
    scale_in_cooldown  = 600
    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# Half as many again each minute while the attack lasts; the policies above take them away later.
resource "aws_appautoscaling_policy" "attack" {
  for_each           = var.target_groups
  name               = "${var.prefix}-${each.key}-attack"
  policy_type        = "StepScaling"
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = aws_appautoscaling_target.weir[each.key].resource_id
  step_scaling_policy_configuration {
    adjustment_type         = "PercentChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 60
    step_adjustment {
      metric_interval_lower_bound = "0"
      scaling_adjustment          = 50
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "attack" {
  alarm_name          = "${var.prefix}-scale-out-in-attack"
  alarm_description   = "weir is in an attack (AttackState 2 or 3): more tasks"
  namespace           = var.metric_namespace
  metric_name         = "AttackState"
  dimensions          = { Service = var.metric_service, Environment = var.metric_environment }
  statistic           = "Maximum"
  period              = 10
  evaluation_periods  = 1
  threshold           = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [for policy in aws_appautoscaling_policy.attack : policy.arn]
}
