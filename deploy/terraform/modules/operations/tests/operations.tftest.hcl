variables {
  prefix           = "weir-test"
  topic_arn        = "arn:aws:sns:eu-central-1:123456789012:weir-test-alarms"
  cluster_name     = "weir-test"
  config_parameter = "/weir-test/config"
  patch_services   = { blue = "weir-test-blue" }
  monthly_budget   = 500
}

provider "aws" {}

run "documents" {
  assert {
    condition     = toset(keys(aws_ssm_document.this)) == toset(["block", "unblock", "kill-switch", "drain", "scale"])
    error_message = "Block, unblock, kill switch, drain and scale."
  }
  assert {
    condition     = alltrue([for document in aws_ssm_document.this : yamldecode(document.content).schemaVersion == "0.3" && length(yamldecode(document.content).mainSteps) > 0])
    error_message = "Each is an automation with steps."
  }
  assert {
    condition     = length([for filter in aws_budgets_budget.this.cost_filter : filter if contains(filter.values, "user:Project$weir-test")]) == 1
    error_message = "The budget is that of this project's tag."
  }
}

run "refuses_no_budget" {
  command = plan
  variables {
    monthly_budget = 0
  }
  expect_failures = [var.monthly_budget]
}

run "refuses_odd_schedule" {
  command = plan
  variables {
    maintenance_schedule = "Sundays"
  }
  expect_failures = [var.maintenance_schedule]
}
