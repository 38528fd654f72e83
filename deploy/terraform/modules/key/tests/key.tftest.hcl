variables {
  prefix = "weir-test"
}

provider "aws" {}

run "rotates" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key must rotate by itself."
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
