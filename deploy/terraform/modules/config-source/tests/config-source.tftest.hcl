variables {
  prefix        = "weir-test"
  environment   = "test"
  config        = "[flood]\nenabled = true\n"
  validator_zip = "tests/any.zip"
  kms_key_arn   = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

provider "aws" {}

run "parameter" {
  assert {
    condition     = output.source == "ssm:/weir-test/config" && length(aws_ssm_parameter.this) == 1 && length(aws_appconfig_application.this) == 0
    error_message = "A parameter, and no AppConfig."
  }
  assert {
    condition     = output.parameter == "/weir-test/config" && output.appconfig == null
    error_message = "The kill switch finds the parameter."
  }
  assert {
    condition     = output.task_rights.ConfigRead.actions == ["ssm:GetParameter"] && !can(output.task_rights.ConfigKey)
    error_message = "weir may read that parameter."
  }
}

run "kill_switch_of_a_parameter" {
  variables {
    observe_config = "[flood]\nenabled = false\n"
  }
  assert {
    condition     = aws_ssm_parameter.this["config-observe"].name == "/weir-test/config-observe" && aws_ssm_parameter.this["config"].value == "[flood]\nenabled = true\n"
    error_message = "Both configs lie there, and weir reads the one that enforces."
  }
  assert {
    condition     = output.task_rights.ConfigRead.resources == [aws_ssm_parameter.this["config"].arn]
    error_message = "weir reads the one alone."
  }
}

run "large_parameter" {
  variables {
    config = join("", [for number in range(1000) : "ääää"])
  }
  assert {
    condition     = length(var.config) == 4000 && local.bytes["config"] == 8000 && aws_ssm_parameter.this["config"].tier == "Advanced"
    error_message = "Above 4 KB in bytes, however few letters."
  }
}

run "appconfig" {
  variables {
    kind           = "appconfig"
    observe_config = "[flood]\nenabled = false\n"
    alarm_arns     = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:weir-test-rollback"]
  }
  assert {
    condition     = output.source == "appconfig:weir-test/test/weir" && length(aws_ssm_parameter.this) == 0
    error_message = "AppConfig, and no parameter."
  }
  assert {
    condition     = [for one in aws_appconfig_configuration_profile.this[0].validator : one.type] == ["LAMBDA"]
    error_message = "Nothing gets in that the validator refuses."
  }
  assert {
    condition     = aws_appconfig_deployment_strategy.this[0].final_bake_time_in_minutes == 10 && tolist([for one in aws_appconfig_environment.this[0].monitor : one.alarm_arn]) == var.alarm_arns
    error_message = "A rollout is watched, and turned back by the alarm."
  }
  assert {
    condition     = aws_appconfig_deployment_strategy.at_once[0].final_bake_time_in_minutes == 0 && output.appconfig.strategy == aws_appconfig_deployment_strategy.at_once[0].id
    error_message = "The alarm that is on can't turn the kill switch back."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.monitor[0].policy).Statement[0].Resource == "*"
    error_message = "A narrower right is shown no composite alarm."
  }
}

run "large_appconfig" {
  variables {
    kind   = "appconfig"
    config = join("", [for number in range(1000) : "# a comment"])
  }
  assert {
    condition     = local.bytes["config"] == 11000 && output.appconfig == null
    error_message = "AppConfig takes more than a parameter."
  }
}

run "refuses_too_large" {
  command = plan
  variables {
    config = "${join("", [for number in range(1024) : "ääää"])}!"
  }
  expect_failures = [var.config]
}

run "refuses_too_large_observing" {
  command = plan
  variables {
    observe_config = "${join("", [for number in range(1024) : "ääää"])}!"
  }
  expect_failures = [var.observe_config]
}

run "refuses_odd_alarm" {
  command = plan
  variables {
    alarm_arns = ["rollback"]
  }
  expect_failures = [var.alarm_arns]
}

run "refuses_odd_minutes" {
  command = plan
  variables {
    rollout_minutes = 0
  }
  expect_failures = [var.rollout_minutes]
}

run "refuses_no_zip" {
  command = plan
  variables {
    kind          = "appconfig"
    validator_zip = ""
  }
  expect_failures = [var.validator_zip]
}

run "refuses_odd_prefix" {
  command = plan
  variables {
    prefix = "edge"
  }
  expect_failures = [var.prefix]
}

run "refuses_odd_key" {
  command = plan
  variables {
    kms_key_arn = "alias/weir"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_odd_retention" {
  command = plan
  variables {
    retention_days = 91
  }
  expect_failures = [var.retention_days]
}

run "refuses_odd_environment" {
  command = plan
  variables {
    environment = "Production One"
  }
  expect_failures = [var.environment]
}

run "refuses_odd_kind" {
  command = plan
  variables {
    kind = "etcd"
  }
  expect_failures = [var.kind]
}

run "refuses_empty" {
  command = plan
  variables {
    config = ""
  }
  expect_failures = [var.config]
}
