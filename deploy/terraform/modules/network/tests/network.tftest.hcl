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

run "only_its_own_buckets" {
  assert {
    condition = alltrue([for one in jsondecode(aws_vpc_endpoint.s3.policy).Statement :
    one.Sid == "ImageLayers" ? !strcontains(jsonencode(one.Action), "Put") : can(one.Condition.StringEquals["aws:ResourceAccount"])])
    error_message = "Through S3's endpoint nothing may be written but into buckets of this account."
  }
  assert {
    condition     = alltrue([for one in aws_vpc_endpoint.interface : can(jsondecode(one.policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"])])
    error_message = "An endpoint serves this account's principals alone."
  }
  assert {
    condition     = jsondecode(aws_vpc_endpoint.interface["monitoring"].policy).Statement[0].Action == ["cloudwatch:*"]
    error_message = "The endpoint monitoring is of the actions cloudwatch:*."
  }
}

run "dual_stack" {
  # A VPC of its own: an override fills in what is computed at creation only.
  state_key = "dual_stack"
  variables {
    ipv6 = true
  }
  override_resource {
    target = aws_vpc.this
    values = { ipv6_cidr_block = "2001:db8:1234::/56" }
  }
  assert {
    condition     = length(distinct([for subnet in aws_subnet.public : subnet.ipv6_cidr_block])) == 3 && alltrue([for subnet in aws_subnet.private : try(subnet.ipv6_cidr_block, null) == null || !startswith(subnet.ipv6_cidr_block, "2001:db8:1234:")])
    error_message = "The public subnets have IPv6, the private ones have not."
  }
  assert {
    condition     = length(aws_route.internet_ipv6) == 1 && [for rule in aws_vpc_security_group_ingress_rule.door_ipv6 : rule.from_port if rule.from_port == 443] == [443]
    error_message = "Clients may come by IPv6."
  }
}

run "without_ipv6" {
  assert {
    condition     = length(aws_route.internet_ipv6) + length(aws_vpc_security_group_ingress_rule.door_ipv6) == 0
    error_message = "Without ipv6 there is no IPv6 door."
  }
}

run "nobody_is_on_call" {
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.operators) + length(aws_vpc_security_group_ingress_rule.operators_aws) == 0
    error_message = "Nobody reaches the admin address unless declared."
  }
}

run "people_on_call" {
  variables {
    operator_security_group_ids = ["sg-0123456789abcdef0"]
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.operators : [rule.security_group_id == aws_security_group.this["weir"].id, rule.referenced_security_group_id, rule.from_port, rule.to_port]] == [[true, "sg-0123456789abcdef0", 9901, 9901]]
    error_message = "They reach weir's admin address, and no other port."
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.operators_aws : rule.from_port] == [443]
    error_message = "They reach the endpoints, to fetch the token."
  }
}

run "refuses_networks_on_call" {
  command = plan
  variables {
    operator_security_group_ids = ["10.0.0.0/8"]
  }
  expect_failures = [var.operator_security_group_ids]
}

run "hears_gateways" {
  variables {
    syslog_cidrs = ["192.0.2.0/28"]
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.syslog["192.0.2.0/28"].from_port == 5140 && aws_vpc_security_group_ingress_rule.syslog["192.0.2.0/28"].ip_protocol == "udp"
    error_message = "Gateways reach weir's syslog port, and nobody else."
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

run "refuses_missing_endpoint" {
  command = plan
  variables {
    interface_endpoints = ["ecr.api", "ecr.dkr", "logs"]
  }
  expect_failures = [var.interface_endpoints]
}

run "refuses_whole_endpoint_name" {
  command = plan
  variables {
    nat                 = true
    interface_endpoints = ["com.amazonaws.eu-central-1.ecr.api/x"]
  }
  expect_failures = [var.interface_endpoints]
}

run "refuses_ipv4_as_ipv6" {
  command = plan
  variables {
    client_ipv6_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.client_ipv6_cidrs]
}

run "refuses_ipv6_as_ipv4" {
  command = plan
  variables {
    client_cidrs = ["::/0"]
  }
  expect_failures = [var.client_cidrs]
}

run "refuses_syslog_of_everybody" {
  command = plan
  variables {
    syslog_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.syslog_cidrs]
}

run "refuses_odd_ports" {
  command = plan
  variables {
    weir_port    = 0
    admin_port   = 65536
    backend_port = -1
    test_port    = 70000
    syslog_port  = 514
  }
  expect_failures = [var.weir_port, var.admin_port, var.backend_port, var.test_port, var.syslog_port]
}

run "refuses_odd_prefix_and_key" {
  command = plan
  variables {
    prefix      = "Edge"
    kms_key_arn = "key"
  }
  expect_failures = [var.prefix, var.kms_key_arn]
}
