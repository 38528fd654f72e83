variables {
  prefix       = "weir-test"
  kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  promises_zip = "tests/any.zip"
}

provider "aws" {}

run "locked" {
  assert {
    condition     = aws_s3_bucket.audit.object_lock_enabled && aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].mode == "COMPLIANCE"
    error_message = "Nobody may change the record."
  }
  assert {
    condition     = aws_cloudtrail.this.enable_log_file_validation && aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.kms_key_id == aws_kms_key.archive.arn
    error_message = "All Regions, encrypted, and a record that shows whether it was changed."
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.audit.rule[0].expiration[0].days > aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[0].days && length(aws_s3_bucket_lifecycle_configuration.audit.rule[0].noncurrent_version_expiration) == 1
    error_message = "What is no longer locked goes, hidden versions too."
  }
}

run "rules" {
  assert {
    condition     = toset([for one in values(jsondecode(aws_config_conformance_pack.this.template_body).Resources) : one.Properties.Source.SourceIdentifier]) == toset(keys(var.managed_rules))
    error_message = "Every rule is in the pack."
  }
  assert {
    condition     = alltrue([for one in values(jsondecode(aws_config_conformance_pack.this.template_body).Resources) : startswith(one.Properties.ConfigRuleName, "weir-test-")])
    error_message = "The release gate finds the rules by their prefix."
  }
  assert {
    condition     = jsondecode(aws_config_conformance_pack.this.template_body).Resources["EcsNoEnvironmentSecrets"].Properties.InputParameters.secretKeys != "" && !can(jsondecode(aws_config_conformance_pack.this.template_body).Resources["AlbWafEnabled"].Properties.InputParameters)
    error_message = "Parameters where a rule has some, and nowhere else."
  }
  assert {
    condition     = aws_config_config_rule.promises.name == "weir-test-promises"
    error_message = "weir's own promises are judged as well."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.promises.policy, "Put") || length(regexall("Put[A-Z][A-Za-z]+", aws_iam_role_policy.promises.policy)) == 2
    error_message = "The function reads; it writes its log and its judgement."
  }
}

run "standards" {
  assert {
    condition     = length(aws_securityhub_standards_subscription.this) == 2 && !aws_securityhub_account.this[0].enable_default_standards
    error_message = "The standards that are chosen, and no others."
  }
}

run "accounts_of_the_stack_sets" {
  variables {
    log_accounts = ["123456789012", "210987654321"]
  }
  assert {
    condition     = [for statement in jsondecode(aws_s3_bucket_policy.audit.policy).Statement : length(statement.Resource) if statement.Sid == "Trails"] == [2]
    error_message = "Each account has a folder of its own, ours once."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.archive.policy).Statement : strcontains(jsonencode(statement.Condition), "210987654321") if statement.Sid != "AccountAdministers"])
    error_message = "Its trail may encrypt."
  }
}

run "second_in_the_account" {
  variables {
    create_recorder = false
    create_hub      = false
  }
  assert {
    condition     = length(aws_config_configuration_recorder.this) + length(aws_iam_service_linked_role.config) + length(aws_securityhub_account.this) + length(aws_securityhub_standards_subscription.this) + length(aws_accessanalyzer_analyzer.this) == 0
    error_message = "An account has one of each."
  }
}

run "role_is_there" {
  variables {
    create_config_role = false
  }
  assert {
    condition     = length(aws_iam_service_linked_role.config) == 0 && length(aws_config_configuration_recorder.this) == 1
    error_message = "A role that is there is not made again."
  }
}

run "refuses_lock_days" {
  command = plan
  variables {
    lock_days = 0
  }
  expect_failures = [var.lock_days]
}

run "refuses_odd_rule" {
  command = plan
  variables {
    managed_rules = { "alb-waf-enabled" = { why = "c" } }
  }
  expect_failures = [var.managed_rules]
}

run "refuses_odd_standard" {
  command = plan
  variables {
    standards = ["CIS"]
  }
  expect_failures = [var.standards]
}

run "refuses_odd_account" {
  command = plan
  variables {
    log_accounts = ["production"]
  }
  expect_failures = [var.log_accounts]
}

run "refuses_no_zip" {
  command = plan
  variables {
    promises_zip = "promises"
  }
  expect_failures = [var.promises_zip]
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

run "who_is_on_call_is_told" {
  variables {
    operator_security_group_ids = ["sg-0123456789abcdef0"]
  }
  assert {
    condition     = aws_lambda_function.promises.environment[0].variables.OPERATORS == "sg-0123456789abcdef0"
    error_message = "Who was declared breaks no promise."
  }
}

run "refuses_networks_on_call" {
  command = plan
  variables {
    operator_security_group_ids = ["10.0.0.0/8"]
  }
  expect_failures = [var.operator_security_group_ids]
}

run "gateways_are_told" {
  variables {
    gateways = { networks = ["192.0.2.0/28"], port = 5140 }
  }
  assert {
    condition     = aws_lambda_function.promises.environment[0].variables.GATEWAYS == "192.0.2.0/28" && aws_lambda_function.promises.environment[0].variables.SYSLOG_PORT == "5140"
    error_message = "Who was declared breaks no promise."
  }
}

run "refuses_everybody_as_gateway" {
  command = plan
  variables {
    gateways = { networks = ["0.0.0.0/0"], port = 5140 }
  }
  expect_failures = [var.gateways]
}
