variables {
  prefix                 = "weir-test"
  zone_id                = "Z0123456789ABC"
  name                   = "www.example.com"
  load_balancer_dns_name = "weir-test-1.eu-central-1.elb.amazonaws.com"
  load_balancer_zone_id  = "Z215JYRZR1TBD5"
}

provider "aws" {}

run "alone" {
  assert {
    condition     = length(aws_route53_record.secondary) == 0 && aws_route53_record.primary["A"].alias[0].evaluate_target_health
    error_message = "One place, watched."
  }
  assert {
    condition     = keys(aws_route53_record.primary) == ["A"]
    error_message = "No AAAA record without IPv6."
  }
  assert {
    condition     = aws_route53_health_check.this.fqdn == var.load_balancer_dns_name && aws_route53_record.primary["A"].health_check_id == aws_route53_health_check.this.id
    error_message = "The check asks this load balancer, whatever the name of clients says just then."
  }
}

run "with_a_second_place" {
  variables {
    ipv6      = true
    secondary = { dns_name = "weir-b.example.net", zone_id = "Z0" }
  }
  assert {
    condition     = aws_route53_record.secondary["AAAA"].failover_routing_policy[0].type == "SECONDARY"
    error_message = "The second place takes over."
  }
}

run "refuses_odd_zone" {
  command = plan
  variables {
    zone_id = "example"
  }
  expect_failures = [var.zone_id]
}

run "refuses_odd_path" {
  command = plan
  variables {
    health_path = "healthz"
  }
  expect_failures = [var.health_path]
}

run "refuses_odd_names" {
  command = plan
  variables {
    prefix                 = "edge"
    name                   = "www"
    load_balancer_dns_name = "https://weir.example.com/"
    load_balancer_zone_id  = "/hostedzone/Z215JYRZR1TBD5"
    secondary              = { dns_name = "weir-b.example.net", zone_id = "eu-west-1" }
  }
  expect_failures = [var.prefix, var.name, var.load_balancer_dns_name, var.load_balancer_zone_id, var.secondary]
}
