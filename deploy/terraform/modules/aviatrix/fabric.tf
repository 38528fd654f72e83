# Who may reach weir over the fabric. Clients come by the load balancer and never by here.

# A network domain of its own: what is not connected to it can't reach weir's VPC over the transit.
resource "aviatrix_segmentation_network_domain" "this" {
  count       = local.attached
  domain_name = var.prefix
}

resource "aviatrix_spoke_transit_attachment" "this" {
  count           = local.attached
  spoke_gw_name   = aviatrix_spoke_gateway.this.gw_name
  transit_gw_name = var.transit_gateway
}

resource "aviatrix_segmentation_network_domain_association" "this" {
  count                = local.attached
  network_domain_name  = aviatrix_segmentation_network_domain.this[0].domain_name
  attachment_name      = aviatrix_spoke_transit_attachment.this[0].spoke_gw_name
  transit_gateway_name = var.transit_gateway
}

resource "aviatrix_segmentation_network_domain_connection_policy" "this" {
  for_each      = local.attached == 1 ? var.connected_domains : []
  domain_name_1 = aviatrix_segmentation_network_domain.this[0].domain_name
  domain_name_2 = each.key
}

# Groups are made of networks, as Fargate's tasks are no instances that could be found by their tags.
resource "aviatrix_smart_group" "weir" {
  name = "${var.prefix}-vpc"
  selector {
    match_expressions {
      cidr = var.vpc_cidr
    }
  }
}

resource "aviatrix_smart_group" "sources" {
  count = length(var.allowed_sources) > 0 ? 1 : 0
  name  = "${var.prefix}-sources"
  selector {
    dynamic "match_expressions" {
      for_each = var.allowed_sources
      content {
        cidr = match_expressions.value
      }
    }
  }
}

# A ruleset of our own before those of the UI: the list of all policies is one resource for the whole Controller, and who
# writes that takes out everybody else's.
resource "aviatrix_dcf_ruleset" "this" {
  count     = var.microsegmentation == "off" ? 0 : 1
  name      = var.prefix
  attach_to = var.attachment_point_id != null ? var.attachment_point_id : data.aviatrix_dcf_attachment_point.before[0].id
  dynamic "rules" {
    for_each = local.rules
    content {
      name             = "${var.prefix}-${rules.value.name}"
      priority         = rules.key
      action           = rules.value.action
      protocol         = rules.value.protocol
      src_smart_groups = rules.value.from
      dst_smart_groups = [aviatrix_smart_group.weir.uuid]
      logging          = rules.value.action == "DENY"
      # Watched first: what a rule would drop is logged, and passes.
      watch = rules.value.action == "DENY" && var.microsegmentation == "watch"
      dynamic "port_ranges" {
        for_each = rules.value.ports
        content {
          lo = port_ranges.value
        }
      }
    }
  }
}

data "aviatrix_dcf_attachment_point" "before" {
  count = var.microsegmentation != "off" && var.attachment_point_id == null ? 1 : 0
  name  = "TERRAFORM_BEFORE_UI_MANAGED"
}

locals {
  attached = var.transit_gateway == "" ? 0 : 1
  anywhere = "def000ad-0000-0000-0000-000000000000" # Aviatrix's own group of everything
  rules = concat(
    # weir keeps this group itself: [aviatrix.smartgroup] of its config.
    [for uuid in var.offenders_group == null ? [] : [var.offenders_group] : { name = "offenders", action = "DENY", protocol = "ANY", from = [uuid], ports = [] }],
    [for group in aviatrix_smart_group.sources : { name = "sources", action = "PERMIT", protocol = "TCP", from = [group.uuid], ports = var.allowed_ports }],
    [{ name = "rest", action = "DENY", protocol = "ANY", from = [local.anywhere], ports = [] }],
  )
}
