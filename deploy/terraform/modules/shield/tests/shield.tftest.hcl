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
  assert {
    condition     = contains(aws_shield_protection_group.this.members, var.load_balancer_arn)
    error_message = "The group holds the load balancer."
  }
  assert {
    condition     = length(aws_shield_application_layer_automatic_response.balancer) + length(aws_shield_proactive_engagement.this) + length(aws_iam_role.response_team) == 0
    error_message = "Nobody else changes the web ACL unless asked to."
  }
}

run "with_the_response_team" {
  variables {
    automatic_response   = "COUNT"
    response_team_access = true
    emergency_contacts   = [{ mail = "oncall@example.com", phone = "+15550100" }]
  }
  assert {
    condition     = aws_shield_proactive_engagement.this[0].enabled && aws_shield_proactive_engagement.this[0].emergency_contact[0].phone_number == "+15550100"
    error_message = "AWS calls whom it was told."
  }
  assert {
    condition     = aws_shield_drt_access_role_arn_association.this[0].role_arn == aws_iam_role.response_team[0].arn && aws_shield_application_layer_automatic_response.balancer[0].action == "COUNT"
    error_message = "The team has its role; Shield's rules only count."
  }
}

run "refuses_odd_response" {
  command = plan
  variables {
    automatic_response = "DROP"
  }
  expect_failures = [var.automatic_response]
}

run "refuses_odd_values" {
  command = plan
  variables {
    prefix             = "shield"
    load_balancer_arn  = "weir"
    health_check_arn   = "check"
    more_arns          = ["E2QWRUHEXAMPLE"]
    emergency_contacts = [{ mail = "oncall@example.com", phone = "0301234" }]
  }
  expect_failures = [var.prefix, var.load_balancer_arn, var.health_check_arn, var.more_arns, var.emergency_contacts]
}
