variables {
  prefix           = "weir-test"
  topic_arn        = "arn:aws:sns:eu-central-1:123456789012:weir-test-alarms"
  cluster_name     = "weir-test"
  config_parameter = "/weir-test/config"
  patch_services   = { backend = "weir-test-backend", blue = "weir-test-blue" }
  monthly_budget   = 500
}

provider "aws" {}

run "documents" {
  assert {
    condition     = toset(keys(aws_ssm_document.this)) == toset(["block", "unblock", "kill-switch", "drain", "replace", "scale"])
    error_message = "Block, unblock, kill switch, drain, replace and scale."
  }
  assert {
    condition     = alltrue([for document in aws_ssm_document.this : yamldecode(document.content).schemaVersion == "0.3" && length(yamldecode(document.content).mainSteps) > 0])
    error_message = "Each is an automation with steps."
  }
  assert {
    condition     = alltrue([for document in aws_ssm_document.this : alltrue([for parameter in values(yamldecode(document.content).parameters) : can(parameter.allowedPattern) || can(parameter.allowedValues)])])
    error_message = "No document takes whatever is written."
  }
  assert {
    condition     = alltrue([for name, document in aws_ssm_document.this : yamldecode(document.content).assumeRole == aws_iam_role.document[name].arn])
    error_message = "Each document has the rights of its own role."
  }
}

run "rights" {
  assert {
    condition     = !strcontains(aws_iam_role_policy.document["block"].policy, "ecs:") && !strcontains(aws_iam_role_policy.document["scale"].policy, "wafv2:")
    error_message = "Who blocks gets no hand on services, and the other way round."
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.document["block"].policy, "regional/ipset/weir-test-ipv4-0/*") && !strcontains(aws_iam_role_policy.document["block"].policy, "ipset/*")
    error_message = "Only the sets that the document writes to."
  }
  assert {
    condition     = contains([for statement in jsondecode(aws_iam_role_policy.window.policy).Statement : statement.Action[0]], "ssm:StartAutomationExecution")
    error_message = "The window may start what it is there to start."
  }
  assert {
    condition     = [for task in aws_ssm_maintenance_window_task.replace : task.priority] == [1, 2]
    error_message = "One service after the other."
  }
}

run "kill_switch_of_a_parameter" {
  assert {
    condition     = strcontains(aws_iam_role_policy.document["kill-switch"].policy, "parameter/weir-test/config-observe") && !strcontains(aws_iam_role_policy.document["kill-switch"].policy, "appconfig:")
    error_message = "It reads the config that observes and writes the one that weir reads."
  }
  assert {
    condition     = yamldecode(aws_ssm_document.this["kill-switch"].content).mainSteps[0].inputs.InputPayload.source.parameter == "/weir-test/config"
    error_message = "It knows the parameter."
  }
}

run "kill_switch_of_appconfig" {
  variables {
    config_appconfig = { application = "abc1234", environment = "def1234", profile = "ghi1234", strategy = "jkl1234", key = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000", enforce = "7", observe = "8" }
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.document["kill-switch"].policy, "appconfig:StartDeployment") && !strcontains(aws_iam_role_policy.document["kill-switch"].policy, "ssm:PutParameter")
    error_message = "It starts a deployment."
  }
  assert {
    condition     = yamldecode(aws_ssm_document.this["kill-switch"].content).mainSteps[0].inputs.InputPayload.source.observe == "8"
    error_message = "It knows the version that observes."
  }
}

run "money" {
  assert {
    condition     = length([for filter in aws_budgets_budget.this.cost_filter : filter if contains(filter.values, "user:Project$weir-test")]) == 1
    error_message = "The budget is that of this project's tag."
  }
  assert {
    condition     = jsondecode(aws_ce_anomaly_monitor.this.monitor_specification).Tags.Values == ["weir-test"]
    error_message = "Anomalies of this project, not of the account."
  }
}

run "refuses_no_budget" {
  command = plan
  variables {
    monthly_budget = 0
  }
  expect_failures = [var.monthly_budget]
}

run "refuses_odd_anomaly" {
  command = plan
  variables {
    anomaly_dollars = 0
  }
  expect_failures = [var.anomaly_dollars]
}

run "refuses_odd_schedule" {
  command = plan
  variables {
    maintenance_schedule = "Sundays"
  }
  expect_failures = [var.maintenance_schedule]
}

run "refuses_odd_timezone" {
  command = plan
  variables {
    maintenance_timezone = "CET+1"
  }
  expect_failures = [var.maintenance_timezone]
}

run "refuses_odd_prefix" {
  command = plan
  variables {
    prefix = "Edge"
  }
  expect_failures = [var.prefix]
}

run "refuses_odd_topic" {
  command = plan
  variables {
    topic_arn = "alarms"
  }
  expect_failures = [var.topic_arn]
}

run "refuses_odd_cluster" {
  command = plan
  variables {
    cluster_name = "arn:aws:ecs:eu-central-1:123456789012:cluster/weir"
  }
  expect_failures = [var.cluster_name]
}

run "refuses_odd_sets" {
  command = plan
  variables {
    block_sets = { ipv4 = "all of them", ipv6 = "" }
  }
  expect_failures = [var.block_sets]
}

run "refuses_no_config" {
  command = plan
  variables {
    config_parameter = ""
  }
  expect_failures = [var.config_parameter]
}

run "refuses_foreign_service" {
  command = plan
  variables {
    patch_services = { shop = "shop" }
  }
  expect_failures = [var.patch_services]
}
