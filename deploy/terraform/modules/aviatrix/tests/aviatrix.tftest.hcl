provider "aviatrix" {}

variables {
  prefix                 = "weir-test"
  account_name           = "aws"
  vpc_id                 = "vpc-0"
  region                 = "eu-central-1"
  gateway_subnet         = "10.20.240.0/28"
  spoke_subnet           = "10.20.0.0/20"
  public_route_table_ids = ["rtb-0"]
  weir_syslog            = { server = "192.0.2.10" }
  netflow                = { server = "192.0.2.11" }
  alert_mail             = "oncall@example.com"
}

run "enforces" {
  assert {
    condition     = aviatrix_gateway.filter.public_subnet_filtering_guard_duty_enforced && aviatrix_remote_syslog.weir.index != 9
    error_message = "Findings are enforced, and CoPilot keeps its profile."
  }
}

run "refuses_copilots_profile" {
  command = plan
  variables {
    syslog_index = 9
  }
  expect_failures = [var.syslog_index]
}
