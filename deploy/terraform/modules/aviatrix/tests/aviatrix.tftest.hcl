provider "aviatrix" {}

variables {
  prefix                 = "weir-test"
  account_name           = "aws"
  vpc_id                 = "vpc-0"
  vpc_cidr               = "10.20.0.0/16"
  region                 = "eu-central-1"
  gateway_subnet         = "10.20.240.0/28"
  gateway_zone           = "eu-central-1a"
  spoke_subnet           = "10.20.0.0/20"
  public_route_table_ids = ["rtb-0"]
  weir_syslog            = { server = "192.0.2.10" }
  netflow                = { server = "192.0.2.11" }
  alert_mail             = "oncall@example.com"
}

run "enforces" {
  assert {
    condition     = aviatrix_gateway.filter.public_subnet_filtering_guard_duty_enforced && aviatrix_gateway.filter.enable_public_subnet_filtering && length(aviatrix_aws_guard_duty.this) == 1
    error_message = "Findings are read and enforced."
  }
  assert {
    condition     = aviatrix_remote_syslog.weir.index == 5 && aviatrix_remote_syslog.weir.port == 5140 && length(aviatrix_remote_syslog.copilot) == 0
    error_message = "Lines come to where weir listens, and CoPilot keeps its profile."
  }
  assert {
    condition     = aviatrix_netflow_agent.this.version == 9 && aviatrix_controller_email_config.this[0].security_event_email == "oncall@example.com"
    error_message = "Flows in version 9; people are told."
  }
}

run "watches_first" {
  variables {
    offenders_group = "01234567-89ab-cdef-0123-456789abcdef"
    allowed_sources = ["10.50.0.0/16"]
  }
  assert {
    condition     = alltrue([for rule in aviatrix_dcf_ruleset.this[0].rules : rule.watch == (rule.action == "DENY")]) && length(aviatrix_dcf_ruleset.this[0].rules) == 3
    error_message = "Nothing is dropped until somebody says so."
  }
  assert {
    condition     = { for rule in aviatrix_dcf_ruleset.this[0].rules : tostring(rule.priority) => rule.name } == { "0" = "weir-test-offenders", "1" = "weir-test-sources", "2" = "weir-test-rest" }
    error_message = "Offenders before those who may, and then nobody."
  }
}

run "segments" {
  variables {
    microsegmentation = "enforce"
    transit_gateway   = "transit-eu"
    connected_domains = ["operations"]
    copilot_address   = "192.0.2.20"

    attachment_point_id = "01234567-89ab-cdef-0123-456789abcdef"
  }
  assert {
    condition     = aviatrix_dcf_ruleset.this[0].attach_to == "01234567-89ab-cdef-0123-456789abcdef" && length(data.aviatrix_dcf_attachment_point.before) == 0
    error_message = "An attachment point that is named is taken."
  }
  assert {
    condition     = aviatrix_segmentation_network_domain_association.this[0].network_domain_name == "weir-test" && keys(aviatrix_segmentation_network_domain_connection_policy.this) == ["operations"]
    error_message = "A domain of its own, connected to those that are named."
  }
  assert {
    condition     = [for rule in aviatrix_dcf_ruleset.this[0].rules : rule.watch] == [false]
    error_message = "Everything else is dropped."
  }
  assert {
    condition     = aviatrix_remote_syslog.copilot[0].index == 9
    error_message = "Profile 9 is CoPilot's."
  }
}

run "alone" {
  variables {
    microsegmentation = "off"
    manage_guardduty  = false
    alert_mail        = ""
  }
  assert {
    condition     = length(aviatrix_dcf_ruleset.this) + length(aviatrix_segmentation_network_domain.this) + length(aviatrix_aws_guard_duty.this) + length(aviatrix_controller_email_config.this) == 0
    error_message = "What the Controller has once is left alone where told so."
  }
}

run "refuses_odd_prefix" {
  command = plan
  variables {
    prefix = "edge"
  }
  expect_failures = [var.prefix]
}

run "refuses_odd_account_name" {
  command = plan
  variables {
    account_name = ""
  }
  expect_failures = [var.account_name]
}

run "refuses_odd_vpc_id" {
  command = plan
  variables {
    vpc_id = "arn:aws:ec2:x"
  }
  expect_failures = [var.vpc_id]
}

run "refuses_odd_vpc_cidr" {
  command = plan
  variables {
    vpc_cidr = "10.20"
  }
  expect_failures = [var.vpc_cidr]
}

run "refuses_odd_region" {
  command = plan
  variables {
    region = "Frankfurt"
  }
  expect_failures = [var.region]
}

run "refuses_odd_gateway_size" {
  command = plan
  variables {
    gateway_size = "small"
  }
  expect_failures = [var.gateway_size]
}

run "refuses_odd_gateway_subnet" {
  command = plan
  variables {
    gateway_subnet = "10.20.240.0"
  }
  expect_failures = [var.gateway_subnet]
}

run "refuses_odd_gateway_zone" {
  command = plan
  variables {
    gateway_zone = "a"
  }
  expect_failures = [var.gateway_zone]
}

run "refuses_odd_spoke_subnet" {
  command = plan
  variables {
    spoke_subnet = "public"
  }
  expect_failures = [var.spoke_subnet]
}

run "refuses_odd_spoke_ha_subnet" {
  command = plan
  variables {
    spoke_ha_subnet = "public"
  }
  expect_failures = [var.spoke_ha_subnet]
}

run "refuses_odd_public_route_table_ids" {
  command = plan
  variables {
    public_route_table_ids = []
  }
  expect_failures = [var.public_route_table_ids]
}

run "refuses_odd_never_dropped" {
  command = plan
  variables {
    never_dropped = ["10.0.0.0/8"]
  }
  expect_failures = [var.never_dropped]
}

run "refuses_odd_connected_domains" {
  command = plan
  variables {
    connected_domains = ["operations"]
  }
  expect_failures = [var.connected_domains]
}

run "refuses_odd_allowed_sources" {
  command = plan
  variables {
    allowed_sources = ["office"]
  }
  expect_failures = [var.allowed_sources]
}

run "refuses_odd_allowed_ports" {
  command = plan
  variables {
    allowed_ports = [0]
  }
  expect_failures = [var.allowed_ports]
}

run "refuses_odd_microsegmentation" {
  command = plan
  variables {
    microsegmentation = "on"
  }
  expect_failures = [var.microsegmentation]
}

run "refuses_odd_offenders_group" {
  command = plan
  variables {
    offenders_group = "weir-offenders"
  }
  expect_failures = [var.offenders_group]
}

run "refuses_odd_attachment_point_id" {
  command = plan
  variables {
    attachment_point_id = "TERRAFORM"
  }
  expect_failures = [var.attachment_point_id]
}

run "refuses_odd_syslog_index" {
  command = plan
  variables {
    syslog_index = 9
  }
  expect_failures = [var.syslog_index]
}

run "refuses_odd_weir_syslog" {
  command = plan
  variables {
    weir_syslog = { server = "192.0.2.10", protocol = "TLS" }
  }
  expect_failures = [var.weir_syslog]
}

run "refuses_odd_copilot_address" {
  command = plan
  variables {
    copilot_address = "copilot"
  }
  expect_failures = [var.copilot_address]
}

run "refuses_odd_netflow" {
  command = plan
  variables {
    netflow = { server = "", port = 1 }
  }
  expect_failures = [var.netflow]
}

run "refuses_odd_alert_mail" {
  command = plan
  variables {
    alert_mail = "oncall"
  }
  expect_failures = [var.alert_mail]
}
