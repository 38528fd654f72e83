variables {
  prefix = "weir-test"
}

provider "aws" {}

run "rotates" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key must rotate by itself."
  }
  assert {
    condition     = alltrue([for one in jsondecode(aws_kms_key.this.policy).Statement : can(one.Condition) if can(one.Principal.Service)])
    error_message = "A service may use the key for this account alone."
  }
  assert {
    condition     = [for one in jsondecode(aws_kms_key.this.policy).Statement : one.Sid if one.Effect == "Allow" && !can(one.Condition)] == ["AccountAdministers"]
    error_message = "Only the account itself is bound by nothing."
  }
}

run "the_record_has_a_key_of_its_own" {
  assert {
    condition     = !strcontains(aws_kms_key.this.policy, "cloudtrail") && !strcontains(aws_kms_key.this.policy, "config.amazonaws")
    error_message = "Module audit has the key of the account's record; this one is not for it."
  }
}

run "refuses_prefix" {
  command = plan
  variables {
    prefix = "edge"
  }
  expect_failures = [var.prefix]
}

run "refuses_short_deletion" {
  command = plan
  variables {
    deletion_window_days = 1
  }
  expect_failures = [var.deletion_window_days]
}
