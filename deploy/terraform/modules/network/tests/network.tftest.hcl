variables {
  prefix      = "weir-test"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  zones       = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
}

provider "aws" {}

run "closed" {
  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.map_public_ip_on_launch != true])
    error_message = "Nothing gets a public address by itself."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_vpc_security_group_egress_rule.out) == 0
    error_message = "Without nat there is no way out."
  }
  assert {
    condition     = length(distinct([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.cidr_block])) == 6
    error_message = "Six subnets with networks of their own."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.link["origin"].referenced_security_group_id == aws_security_group.this["weir"].id
    error_message = "Only weir reaches the backend."
  }
  assert {
    condition     = length([for rule in aws_vpc_security_group_ingress_rule.door : rule if rule.from_port == 8443]) == 0
    error_message = "The test listener is closed unless it is opened."
  }
}

run "with_a_way_out" {
  variables {
    nat = true
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "One NAT gateway a zone."
  }
}

run "refuses_two_zones" {
  command = plan
  variables {
    zones = ["eu-central-1a", "eu-central-1b"]
  }
  expect_failures = [var.zones]
}

run "refuses_tiny_network" {
  command = plan
  variables {
    cidr = "10.0.0.0/28"
  }
  expect_failures = [var.cidr]
}

run "refuses_open_tests" {
  command = plan
  variables {
    test_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.test_cidrs]
}

run "refuses_odd_retention" {
  command = plan
  variables {
    retention_days = 91
  }
  expect_failures = [var.retention_days]
}
