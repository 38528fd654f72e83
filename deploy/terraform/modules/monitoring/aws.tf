# What AWS says of itself: the load balancer, the targets, ECS, AWS WAF, the store, the queue.

locals {
  balancer = { LoadBalancer = var.load_balancer_suffix }
  aws = merge(
    {
      "balancer-5xx" = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer, statistic = "Sum", minutes = 2, above = 20, critical = true, why = "The load balancer itself answers 5xx: no healthy weir, or one that closes connections early" }
      "target-slow"  = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.balancer, statistic = "Average", minutes = 5, above = 2, critical = false, why = "Answers take 2 s on average" }
      "rejected"     = { namespace = "AWS/ApplicationELB", metric = "RejectedConnectionCount", dimensions = local.balancer, statistic = "Sum", minutes = 1, above = 0, critical = true, why = "The load balancer is at its limit of connections" }
      "waf-blocks"   = { namespace = "AWS/WAFV2", metric = "BlockedRequests", dimensions = { WebACL = var.web_acl_name, Region = var.region, Rule = "ALL" }, statistic = "Sum", minutes = 5, above = var.waf_blocks_a_minute, critical = false, why = "AWS WAF blocks much: an attack that it holds, or a rule that hurts people" }
    },
    { for colour, suffix in var.target_group_suffixes : "unhealthy-${colour}" => { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = { LoadBalancer = var.load_balancer_suffix, TargetGroup = suffix }, statistic = "Maximum", minutes = 3, above = 0, critical = false, why = "Tasks of weir (${colour}) are not ready" } },
    { for name in var.service_names : "cpu-${trimprefix(name, "${var.prefix}-")}" => { namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = { ClusterName = var.cluster_name, ServiceName = name }, statistic = "Average", minutes = 10, above = 85, critical = false, why = "${name} is at 85 % CPU: autoscaling is at its maximum, or too slow" } },
    { for name in var.service_names : "memory-${trimprefix(name, "${var.prefix}-")}" => { namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = { ClusterName = var.cluster_name, ServiceName = name }, statistic = "Maximum", minutes = 5, above = 85, critical = false, why = "${name} is at 85 % of its memory" } },
    { for id in var.store_nodes : "store-${id}" => { namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = id }, statistic = "Maximum", minutes = 5, above = 80, critical = false, why = "The store's node ${id} is nearly full; full it refuses writes, and each weir acts alone" } },
    var.poison_queue == "" ? {} : { "poison" = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = var.poison_queue }, statistic = "Maximum", minutes = 1, above = 0, critical = false, why = "A finding that weir did not understand" } },
  )
}
