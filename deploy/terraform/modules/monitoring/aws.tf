# What AWS says of itself: the load balancer, the targets, ECS, AWS WAF, the store, the queues.
# What is missing means something else for each: a count that is missing is a count of nothing; a service without tasks
# (green, between two releases) has no CPU; but that no colour tells of a healthy task is an outage.

locals {
  balancer = { LoadBalancer = var.load_balancer_suffix }
  alb      = { namespace = "AWS/ApplicationELB", dimensions = local.balancer, missing = "notBreaching", critical = false }
  ecs      = { for name in var.service_names : trimprefix(name, "${var.prefix}-") => { namespace = "AWS/ECS", dimensions = { ClusterName = var.cluster_name, ServiceName = name }, missing = "notBreaching", critical = false } }
  store    = { for id in var.store_nodes : id => { namespace = "AWS/ElastiCache", dimensions = { CacheClusterId = id }, missing = "notBreaching", critical = false } }

  aws = merge(
    {
      "balancer-5xx"    = merge(local.alb, { metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", minutes = 2, above = var.balancer_errors_a_minute, critical = true, why = "The load balancer itself answers 5xx: no healthy weir, or one that closes connections early" })
      "balancer-refuse" = merge(local.alb, { metric = "RejectedConnectionCount", statistic = "Sum", minutes = 1, above = 0, critical = true, why = "The load balancer is at its limit of connections" })
      "target-connect"  = merge(local.alb, { metric = "TargetConnectionErrorCount", statistic = "Sum", minutes = 2, above = 10, why = "The load balancer gets no connection to weir: tasks at their limit, or gone without a word" })
      "target-slow"     = merge(local.alb, { metric = "TargetResponseTime", statistic = "p95", minutes = 5, above = var.slow_seconds, why = "One answer in twenty takes longer than ${var.slow_seconds} s" })
      "waf-blocks"      = { namespace = "AWS/WAFV2", dimensions = { WebACL = var.web_acl_name, Region = var.region, Rule = "ALL" }, missing = "notBreaching", critical = false, metric = "BlockedRequests", statistic = "Sum", minutes = 5, above = var.waf_blocks_a_minute, why = "AWS WAF blocks much: an attack that it holds, or a rule that hurts people" }
    },
    { for colour, suffix in var.target_group_suffixes : "unhealthy-${colour}" => merge(local.alb, { dimensions = { LoadBalancer = var.load_balancer_suffix, TargetGroup = suffix }, metric = "UnHealthyHostCount", statistic = "Maximum", minutes = 3, above = 0, why = "Tasks of weir (${colour}) are not ready" }) },
    { for name, of in local.ecs : "cpu-${name}" => merge(of, { metric = "CPUUtilization", statistic = "Average", minutes = 10, above = 85, why = "${name} is at 85 % CPU: autoscaling is at its maximum, or too slow" }) },
    { for name, of in local.ecs : "memory-${name}" => merge(of, { metric = "MemoryUtilization", statistic = "Maximum", minutes = 5, above = 85, why = "${name} is at 85 % of its memory" }) },
    { for id, of in local.store : "store-memory-${id}" => merge(of, { metric = "DatabaseMemoryUsagePercentage", statistic = "Maximum", minutes = 5, above = 80, why = "The store's node ${id} is nearly full; full it refuses writes, and each weir acts alone" }) },
    { for id, of in local.store : "store-cpu-${id}" => merge(of, { metric = "EngineCPUUtilization", statistic = "Average", minutes = 5, above = 80, why = "The store's node ${id} is at 80 % of the one CPU that it can use" }) },
    { for name, why in { (var.poison_queue) = "A finding that weir did not understand" } : "findings-poison" => { namespace = "AWS/SQS", dimensions = { QueueName = name }, missing = "notBreaching", critical = false, metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", minutes = 1, above = 0, why = why } if name != "" },
    { for name, why in { (var.findings_queue) = "Findings wait for a quarter of an hour: no weir reads them" } : "findings-waiting" => { namespace = "AWS/SQS", dimensions = { QueueName = name }, missing = "notBreaching", critical = false, metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", minutes = 5, above = 900, why = why } if name != "" },
  )
}

resource "aws_cloudwatch_metric_alarm" "aws" {
  for_each            = local.aws
  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  period              = 60
  evaluation_periods  = each.value.minutes
  threshold           = each.value.above
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = each.value.missing
  # A percentile of three requests says nothing.
  evaluate_low_sample_count_percentiles = startswith(each.value.statistic, "p") ? "ignore" : null
  # Critical ones tell people through the composite alarms, once, and not each by itself.
  alarm_actions = each.value.critical ? [] : [aws_sns_topic.this.arn]
  ok_actions    = each.value.critical ? [] : [aws_sns_topic.this.arn]
}

# A colour without tasks is usual, so these tell nobody; both at once is an outage: see composite.tf.
resource "aws_cloudwatch_metric_alarm" "empty" {
  for_each            = var.target_group_suffixes
  alarm_name          = "${var.prefix}-empty-${each.key}"
  alarm_description   = "No healthy task of weir in ${each.key}"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = var.load_balancer_suffix, TargetGroup = each.value }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  # A target group without targets tells nothing.
  treat_missing_data = "breaching"
}
