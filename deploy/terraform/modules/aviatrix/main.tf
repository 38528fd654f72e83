# The Aviatrix side: a gateway that filters the public subnets by GuardDuty's findings, and what it tells weir.

resource "aviatrix_gateway" "filter" {
  cloud_type                                  = 1
  account_name                                = var.account_name
  gw_name                                     = "${var.prefix}-psf"
  vpc_id                                      = var.vpc_id
  vpc_reg                                     = var.region
  gw_size                                     = var.gateway_size
  subnet                                      = var.gateway_subnet
  enable_public_subnet_filtering              = true
  public_subnet_filtering_route_tables        = var.public_route_table_ids
  public_subnet_filtering_guard_duty_enforced = true
}

resource "aviatrix_spoke_gateway" "this" {
  cloud_type   = 1
  account_name = var.account_name
  gw_name      = "${var.prefix}-spoke"
  vpc_id       = var.vpc_id
  vpc_reg      = var.region
  gw_size      = var.gateway_size
  subnet       = var.spoke_subnet
}

# Gateways' lines to weir, by a profile of its own; profile 9 is CoPilot's.
resource "aviatrix_remote_syslog" "weir" {
  index    = var.syslog_index
  name     = "${var.prefix}-weir"
  server   = var.weir_syslog.server
  port     = var.weir_syslog.port
  protocol = "TCP"
}

resource "aviatrix_remote_syslog" "copilot" {
  count    = var.copilot_address == "" ? 0 : 1
  index    = 9
  name     = "${var.prefix}-copilot"
  server   = var.copilot_address
  port     = 5000
  protocol = "UDP"
}

# Flows of the gateways, to CoPilot or to the collector that weir's own flows go to.
resource "aviatrix_netflow_agent" "this" {
  server_ip = var.netflow.server
  port      = var.netflow.port
  version   = 9
}

# A network domain of its own: what is not connected to it can't reach weir's VPC.
resource "aviatrix_segmentation_network_domain" "this" {
  domain_name = var.prefix
}

# Who is told when a gateway is down or CoPilot has lost one.
resource "aviatrix_controller_email_config" "this" {
  admin_alert_email    = var.alert_mail
  critical_alert_email = var.alert_mail
  security_event_email = var.alert_mail
  status_change_email  = var.alert_mail
}
