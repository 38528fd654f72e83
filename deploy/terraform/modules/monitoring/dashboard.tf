# One dashboard for what AWS sees; weir's own comes from its table of metrics, as a file, where it is given.

resource "aws_cloudwatch_dashboard" "aws" {
  dashboard_name = "${var.prefix}-aws"
  dashboard_body = jsonencode({
    widgets = [for number, one in local.widgets : {
      type   = "metric"
      x      = 12 * (number % 2)
      y      = 6 * floor(number / 2)
      width  = 12
      height = 6
      properties = {
        title   = one.title
        region  = var.region
        view    = "timeSeries"
        stat    = one.stat
        period  = 60
        metrics = one.metrics
      }
    }]
  })
}

resource "aws_cloudwatch_dashboard" "weir" {
  count          = var.dashboard_file == "" ? 0 : 1
  dashboard_name = "${var.prefix}-weir"
  dashboard_body = templatefile(var.dashboard_file, {
    namespace = var.metric_namespace, service = var.service, environment = var.environment, region = var.region
  })
}

locals {
  widgets = [
    { title = "Requests a minute", stat = "Sum", metrics = [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer_suffix]] },
    { title = "Answers by status", stat = "Sum", metrics = [for class in ["2XX", "3XX", "4XX", "5XX"] : ["AWS/ApplicationELB", "HTTPCode_Target_${class}_Count", "LoadBalancer", var.load_balancer_suffix]] },
    { title = "Time of answers (p99)", stat = "p99", metrics = [["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.load_balancer_suffix]] },
    { title = "Healthy tasks", stat = "Minimum", metrics = [for colour, suffix in var.target_group_suffixes : ["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", suffix, "LoadBalancer", var.load_balancer_suffix, { label = colour }]] },
    { title = "AWS WAF", stat = "Sum", metrics = [for metric in ["AllowedRequests", "BlockedRequests", "CountedRequests"] : ["AWS/WAFV2", metric, "WebACL", var.web_acl_name, "Region", var.region, "Rule", "ALL"]] },
    { title = "Errors of the load balancer's own", stat = "Sum", metrics = [for metric in ["HTTPCode_ELB_5XX_Count", "RejectedConnectionCount", "TargetConnectionErrorCount"] : ["AWS/ApplicationELB", metric, "LoadBalancer", var.load_balancer_suffix]] },
    { title = "Memory of the services", stat = "Maximum", metrics = [for name in var.service_names : ["AWS/ECS", "MemoryUtilization", "ClusterName", var.cluster_name, "ServiceName", name]] },
    { title = "CPU of the services", stat = "Average", metrics = [for name in var.service_names : ["AWS/ECS", "CPUUtilization", "ClusterName", var.cluster_name, "ServiceName", name]] },
  ]
}
