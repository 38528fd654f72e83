variables {
  prefix            = "weir-test"
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/weir-test/1"
  health_check_arn  = "arn:aws:route53:::healthcheck/0"
}

provider "aws" {}

run "by_health" {
  assert {
    condition     = aws_shield_protection_health_check_association.balancer.health_check_arn == var.health_check_arn
    error_message = "Detection looks at health."
  }
}

run "refuses_odd_response" {
  command = plan
  variables {
    automatic_response = "DROP"
  }
  expect_failures = [var.automatic_response]
}
