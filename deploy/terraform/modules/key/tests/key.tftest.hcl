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
