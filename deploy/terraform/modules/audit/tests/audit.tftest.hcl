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
    condition     = aws_cloudtrail.this.enable_log_file_validation && aws_cloudtrail.this.is_multi_region_trail
    error_message = "All Regions, and a record that shows whether it was changed."
  }
  assert {
    condition     = length(jsondecode(aws_config_conformance_pack.this.template_body).Resources) == length(aws_config_config_rule.managed)
    error_message = "Every rule is in the pack."
  }
}

run "second_in_the_account" {
  variables {
    create_recorder = false
    create_hub      = false
  }
  assert {
    condition     = length(aws_config_configuration_recorder.this) == 0 && length(aws_securityhub_account.this) == 0
    error_message = "An account has one of each."
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
    managed_rules = { "A B" = "c" }
  }
  expect_failures = [var.managed_rules]
}
