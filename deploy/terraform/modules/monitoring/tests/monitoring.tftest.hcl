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
  mail                  = ["oncall@example.com"]
}

provider "aws" {}

run "one_list" {
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.weir)) == toset([for alarm in jsondecode(file("../../../alarms.json")).alarms : alarm.rule])
    error_message = "Each rule of weir's list is an alarm."
  }
  assert {
    condition     = alltrue(flatten([for alarm in aws_cloudwatch_metric_alarm.weir : [for query in alarm.metric_query : [for metric in query.metric : metric.dimensions["Environment"] == "test"]]]))
    error_message = "Alarms look at this environment."
  }
  assert {
    condition     = strcontains(aws_cloudwatch_composite_alarm.critical.alarm_rule, "weir-test-silent") && strcontains(aws_cloudwatch_composite_alarm.rollback.alarm_rule, "weir-test-server-errors")
    error_message = "Silence is critical; server errors turn a release back."
  }
  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.aws.dashboard_body).widgets : length(widget.properties.metrics) > 0])
    error_message = "No empty picture."
  }
}

run "refuses_no_list" {
  command = plan
  variables {
    alarms_file = "nowhere.json"
  }
  expect_failures = [var.alarms_file]
}

run "refuses_odd_mail" {
  command = plan
  variables {
    mail = ["oncall"]
  }
  expect_failures = [var.mail]
}

run "refuses_odd_region" {
  command = plan
  variables {
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}
