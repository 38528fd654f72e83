variables {
  prefix                = "weir-test"
  kms_key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  alarms_file           = "../../../alarms.json"
  region                = "eu-central-1"
  environment           = "test"
  load_balancer_suffix  = "app/weir-test/1"
  target_group_suffixes = { blue = "targetgroup/b/1", green = "targetgroup/g/1" }
  cluster_name          = "weir-test"
  service_names         = ["weir-test-blue", "weir-test-green", "weir-test-backend"]
  web_acl_name          = "weir-test"
  store_nodes           = ["weir-test-store-001"]
  poison_queue          = "weir-test-findings-poison"
  findings_queue        = "weir-test-findings"
  mail                  = ["oncall@example.com"]
  webhooks              = ["https://pages.example/weir"]
}

provider "aws" {}

run "one_list" {
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.weir)) == toset([for alarm in jsondecode(file("../../../alarms.json")).alarms : alarm.rule])
    error_message = "Each rule of weir's list is an alarm."
  }
  assert {
    condition = alltrue([for one in jsondecode(file("../../../alarms.json")).alarms : (
      aws_cloudwatch_metric_alarm.weir[one.rule].threshold == one.threshold
      && aws_cloudwatch_metric_alarm.weir[one.rule].comparison_operator == one.comparison_operator
      && aws_cloudwatch_metric_alarm.weir[one.rule].evaluation_periods == one.evaluation_periods
      && aws_cloudwatch_metric_alarm.weir[one.rule].datapoints_to_alarm == one.datapoints_to_alarm
      && aws_cloudwatch_metric_alarm.weir[one.rule].treat_missing_data == one.treat_missing_data
    )])
    error_message = "An alarm is bad when weir's rule says so."
  }
  assert {
    condition = alltrue([for one in jsondecode(file("../../../alarms.json")).alarms : toset([for query in aws_cloudwatch_metric_alarm.weir[one.rule].metric_query :
      jsonencode([query.id, query.return_data, coalesce(query.expression, "-"), [for metric in query.metric : [metric.metric_name, metric.stat, metric.period, metric.dimensions, metric.namespace]]])
      ]) == toset([for query in one.metric_queries :
      jsonencode([query.id, query.return_data, try(query.expression, "-"), [for metric in try([query.metric], []) : [metric.metric_name, metric.stat, metric.period, merge(metric.dimensions, { Service = "weir", Environment = "test" }), "weir"]]])
    ])])
    error_message = "Query by query and dimension by dimension: weir's list, in this environment."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.weir : length([for query in alarm.metric_query : query if query.return_data]) == 1])
    error_message = "Exactly one query is what an alarm looks at."
  }
}

run "missing_data" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.weir["silent"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.empty["blue"].treat_missing_data == "breaching"
    error_message = "Silence is an alarm where something should always be said."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.aws : alarm.treat_missing_data == "notBreaching"])
    error_message = "No count is a count of nothing."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.unusual.treat_missing_data == "breaching"
    error_message = "Where somebody always comes, that nobody comes is unusual."
  }
}

run "composite" {
  assert {
    condition     = strcontains(aws_cloudwatch_composite_alarm.critical.alarm_rule, "ALARM(\"weir-test-silent\")") && !strcontains(aws_cloudwatch_composite_alarm.critical.alarm_rule, "weir-test-attack")
    error_message = "Silence is critical; an attack has an alarm of its own."
  }
  assert {
    condition     = aws_cloudwatch_composite_alarm.attack.alarm_rule == "ALARM(\"weir-test-attack\") OR ALARM(\"weir-test-overload\") OR ALARM(\"weir-test-waf-blocks\")"
    error_message = "weir's word or AWS WAF's."
  }
  assert {
    condition     = aws_cloudwatch_composite_alarm.nobody.alarm_rule == "ALARM(\"weir-test-empty-blue\") AND ALARM(\"weir-test-empty-green\")"
    error_message = "One colour without tasks is usual."
  }
  assert {
    condition     = alltrue([for name in ["known-refused", "silent", "no-healthy", "origin-errors", "faults", "balancer-5xx", "unhealthy-blue", "unhealthy-green"] : strcontains(aws_cloudwatch_composite_alarm.rollback.alarm_rule, "ALARM(\"weir-test-${name}\")")])
    error_message = "What turns a release back."
  }
  assert {
    condition     = !strcontains(aws_cloudwatch_composite_alarm.rollback.alarm_rule, "weir-test-server-errors")
    error_message = "What weir refuses in an attack turns no release back."
  }
  assert {
    condition     = alltrue([for name, alarm in aws_cloudwatch_metric_alarm.weir : (length(coalesce(alarm.alarm_actions, [])) == 0) == (local.weir[name].severity == "critical")])
    error_message = "Each tells once: by itself, or by a composite alarm."
  }
}

run "dashboards" {
  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.aws.dashboard_body).widgets : length(widget.properties.metrics) > 0 && widget.properties.region == "eu-central-1" && alltrue([for metric in widget.properties.metrics : length([for part in metric : part if can(tostring(part))]) % 2 == 0])])
    error_message = "No empty picture; each metric is a namespace, a name, and pairs."
  }
  assert {
    condition     = length(aws_cloudwatch_dashboard.weir) == 0
    error_message = "Without a file there is none of weir's."
  }
}

run "quiet_place" {
  variables {
    always_used    = false
    poison_queue   = ""
    findings_queue = ""
    store_nodes    = []
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.unusual.treat_missing_data == "notBreaching"
    error_message = "Nobody at night is no alarm."
  }
  assert {
    condition     = length([for name in keys(aws_cloudwatch_metric_alarm.aws) : name if startswith(name, "findings") || startswith(name, "store")]) == 0
    error_message = "What is not there has no alarm."
  }
}

run "refuses_no_list" {
  command = plan
  variables {
    alarms_file = "nowhere.json"
  }
  expect_failures = [var.alarms_file]
}

run "refuses_no_dashboard" {
  command = plan
  variables {
    dashboard_file = "nowhere.json"
  }
  expect_failures = [var.dashboard_file]
}

run "refuses_odd_mail" {
  command = plan
  variables {
    mail = ["oncall"]
  }
  expect_failures = [var.mail]
}

run "refuses_odd_webhooks" {
  command = plan
  variables {
    webhooks = ["http://pages.example"]
  }
  expect_failures = [var.webhooks]
}

run "refuses_odd_region" {
  command = plan
  variables {
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}

run "refuses_odd_prefix" {
  command = plan
  variables {
    prefix = "edge"
  }
  expect_failures = [var.prefix]
}

run "refuses_odd_kms_key_arn" {
  command = plan
  variables {
    kms_key_arn = "alias/weir"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_odd_metric_namespace" {
  command = plan
  variables {
    metric_namespace = "we\"ir"
  }
  expect_failures = [var.metric_namespace]
}

run "refuses_odd_service" {
  command = plan
  variables {
    service = "a b"
  }
  expect_failures = [var.service]
}

run "refuses_odd_environment" {
  command = plan
  variables {
    environment = ""
  }
  expect_failures = [var.environment]
}

run "refuses_odd_load_balancer_suffix" {
  command = plan
  variables {
    load_balancer_suffix = "arn:aws:x"
  }
  expect_failures = [var.load_balancer_suffix]
}

run "refuses_odd_target_group_suffixes" {
  command = plan
  variables {
    target_group_suffixes = {}
  }
  expect_failures = [var.target_group_suffixes]
}

run "refuses_odd_cluster_name" {
  command = plan
  variables {
    cluster_name = "arn:aws:ecs:eu-central-1:123456789012:cluster/x"
  }
  expect_failures = [var.cluster_name]
}

run "refuses_odd_service_names" {
  command = plan
  variables {
    service_names = ["shop"]
  }
  expect_failures = [var.service_names]
}

run "refuses_odd_web_acl_name" {
  command = plan
  variables {
    web_acl_name = "arn:aws:wafv2:x"
  }
  expect_failures = [var.web_acl_name]
}

run "refuses_odd_anomaly_width" {
  command = plan
  variables {
    anomaly_width = 0
  }
  expect_failures = [var.anomaly_width]
}

run "refuses_odd_waf_blocks_a_minute" {
  command = plan
  variables {
    waf_blocks_a_minute = 0
  }
  expect_failures = [var.waf_blocks_a_minute]
}

run "refuses_odd_balancer_errors_a_minute" {
  command = plan
  variables {
    balancer_errors_a_minute = -1
  }
  expect_failures = [var.balancer_errors_a_minute]
}

run "refuses_odd_slow_seconds" {
  command = plan
  variables {
    slow_seconds = 0
  }
  expect_failures = [var.slow_seconds]
}
