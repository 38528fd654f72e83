# Who may speak to whom: internet → balancer → weir → backend; weir → store; tasks → endpoints. Nothing else.

resource "aws_security_group" "this" {
  for_each = {
    balancer  = "the load balancer: from the internet to weir"
    weir      = "weir: from the load balancer to the backend"
    backend   = "the backend: from weir alone"
    store     = "the store: from weir alone"
    endpoints = "endpoints of AWS services: from tasks"
  }
  name        = "${var.prefix}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.prefix}-${each.key}" }
}

locals {
  # Both ends get a rule.
  links = {
    traffic     = { from = "balancer", to = "weir", port = var.weir_port, why = "requests" }
    health      = { from = "balancer", to = "weir", port = var.admin_port, why = "health checks" }
    origin      = { from = "weir", to = "backend", port = var.backend_port, why = "what weir lets through" }
    store       = { from = "weir", to = "store", port = 6379, why = "the store that weir shares" }
    weir-aws    = { from = "weir", to = "endpoints", port = 443, why = "AWS services" }
    backend-aws = { from = "backend", to = "endpoints", port = 443, why = "AWS services" }
  }
  doors = merge(
    { for cidr in var.client_cidrs : "https-${cidr}" => { cidr = cidr, port = 443, why = "clients" } },
    { for cidr in var.client_cidrs : "http-${cidr}" => { cidr = cidr, port = 80, why = "clients to be sent to https" } },
    { for cidr in var.test_cidrs : "test-${cidr}" => { cidr = cidr, port = var.test_port, why = "tests of a release" } },
  )
  doors_ipv6 = var.ipv6 ? merge(
    { for cidr in var.client_ipv6_cidrs : "https-${cidr}" => { cidr = cidr, port = 443, why = "clients" } },
    { for cidr in var.client_ipv6_cidrs : "http-${cidr}" => { cidr = cidr, port = 80, why = "clients to be sent to https" } },
  ) : {}
}
