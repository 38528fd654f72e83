# The Aviatrix side of the VPC: gateways, what they filter, and who hears of it. fabric.tf says who may reach weir over it.

# Filters the public subnets by GuardDuty's findings: the Controller reads them and programs drops.
resource "aviatrix_gateway" "filter" {
  cloud_type                                  = 1
  account_name                                = var.account_name
  gw_name                                     = "${var.prefix}-psf"
  vpc_id                                      = var.vpc_id
  vpc_reg                                     = var.region
  gw_size                                     = var.gateway_size
  subnet                                      = var.gateway_subnet
  zone                                        = var.gateway_zone
  enable_encrypt_volume                       = true
  enable_public_subnet_filtering              = true
  public_subnet_filtering_route_tables        = var.public_route_table_ids
  public_subnet_filtering_guard_duty_enforced = true
}

# What the Controller reads, and whom it never drops.
resource "aviatrix_aws_guard_duty" "this" {
  count        = var.manage_guardduty ? 1 : 0
  account_name = var.account_name
  region       = var.region
  excluded_ips = var.never_dropped
}

resource "aviatrix_spoke_gateway" "this" {
  cloud_type            = 1
  account_name          = var.account_name
  gw_name               = "${var.prefix}-spoke"
  vpc_id                = var.vpc_id
  vpc_reg               = var.region
  gw_size               = var.gateway_size
  subnet                = var.spoke_subnet
  ha_subnet             = var.spoke_ha_subnet
  ha_gw_size            = var.spoke_ha_subnet == null ? null : var.gateway_size
  enable_encrypt_volume = true
  # The attachment below says to which transit gateway it belongs.
  manage_transit_gateway_attachment = false
}

# Gateways' lines to weir, by a profile of its own; profile 9 is CoPilot's. weir's listener speaks no TLS: keep it in the VPC.
resource "aviatrix_remote_syslog" "weir" {
  index    = var.syslog_index
  name     = "${var.prefix}-weir"
  server   = var.weir_syslog.server
  port     = var.weir_syslog.port
  protocol = var.weir_syslog.protocol
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

# Who is told when a gateway is down or something was dropped; the Controller has one such setting in all.
resource "aviatrix_controller_email_config" "this" {
  count                               = var.alert_mail == "" ? 0 : 1
  admin_alert_email                   = var.alert_mail
  critical_alert_email                = var.alert_mail
  security_event_email                = var.alert_mail
  status_change_email                 = var.alert_mail
  status_change_notification_interval = 60
}
