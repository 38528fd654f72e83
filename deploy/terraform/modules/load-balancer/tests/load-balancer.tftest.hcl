variables {
  prefix            = "weir-test"
  vpc_id            = "vpc-0"
  subnet_ids        = ["subnet-a", "subnet-b", "subnet-c"]
  security_group_id = "sg-0"
  certificate_arn   = "arn:aws:acm:eu-central-1:123456789012:certificate/0"
}

provider "aws" {}

run "careful" {
  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_xff_client_port && aws_lb.this.xff_header_processing_mode == "append"
    error_message = "weir must see the client's address and port last in X-Forwarded-For, and no malformed header."
  }
  assert {
    condition     = aws_lb.this.idle_timeout < 75
    error_message = "The load balancer must close idle connections before weir does."
  }
  assert {
    condition     = aws_lb.this.enable_deletion_protection && !aws_s3_bucket.logs.force_destroy
    error_message = "Protected unless told otherwise."
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : tonumber(group.deregistration_delay) >= 25])
    error_message = "Targets must stay for as long as weir drains."
  }
  assert {
    condition     = [for group in aws_lb_listener.https.default_action[0].forward[0].target_group : group.weight if group.arn == aws_lb_target_group.this["blue"].arn] == [100]
    error_message = "At first blue has everything."
  }
}

run "refuses_old_tls" {
  command = plan
  variables {
    tls_policy = "ELBSecurityPolicy-2016-08"
  }
  expect_failures = [var.tls_policy]
}

run "refuses_one_zone" {
  command = plan
  variables {
    subnet_ids = ["subnet-a"]
  }
  expect_failures = [var.subnet_ids]
}

run "refuses_no_certificate" {
  command = plan
  variables {
    certificate_arn = "none"
  }
  expect_failures = [var.certificate_arn]
}
