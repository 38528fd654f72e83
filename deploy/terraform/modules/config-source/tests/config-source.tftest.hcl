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
    condition     = output.task_rights.ConfigRead.actions == tolist(["ssm:GetParameter"])
    error_message = "weir may read that parameter."
  }
}

run "appconfig" {
  variables {
    kind = "appconfig"
  }
  assert {
    condition     = output.source == "appconfig:weir-test/test/weir" && length(aws_ssm_parameter.this) == 0
    error_message = "AppConfig, and no parameter."
  }
  assert {
    condition     = [for one in aws_appconfig_configuration_profile.this[0].validator : one.type] == ["LAMBDA"]
    error_message = "Nothing gets in that the validator refuses."
  }
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
