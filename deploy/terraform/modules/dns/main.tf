# The name that clients use: this Region while it is well, another place while it is not.

# It asks the load balancer by its own name: the name of clients may lead to the second place just then.
resource "aws_route53_health_check" "this" {
  reference_name    = var.prefix
  type              = "HTTPS"
  fqdn              = var.load_balancer_dns_name
  port              = 443
  resource_path     = var.health_path
  request_interval  = 10
  failure_threshold = 3
  measure_latency   = true
  enable_sni        = true
  tags              = { Name = var.prefix }
}

resource "aws_route53_record" "primary" {
  for_each        = local.types
  zone_id         = var.zone_id
  name            = var.name
  type            = each.key
  set_identifier  = "primary"
  health_check_id = aws_route53_health_check.this.id
  failover_routing_policy {
    type = "PRIMARY"
  }
  alias {
    name                   = var.load_balancer_dns_name
    zone_id                = var.load_balancer_zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "secondary" {
  for_each       = var.secondary == null ? toset([]) : local.types
  zone_id        = var.zone_id
  name           = var.name
  type           = each.key
  set_identifier = "secondary"
  failover_routing_policy {
    type = "SECONDARY"
  }
  alias {
    name                   = var.secondary.dns_name
    zone_id                = var.secondary.zone_id
    evaluate_target_health = true
  }
}

locals {
  # An AAAA record of a load balancer without IPv6 would have no answer.
  types = toset(var.ipv6 ? ["A", "AAAA"] : ["A"])
}
