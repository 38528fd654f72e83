# One rule a link and side, so that a change of one touches no other.

resource "aws_vpc_security_group_egress_rule" "link" {
  for_each                     = local.links
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.value.why
}

resource "aws_vpc_security_group_ingress_rule" "link" {
  for_each                     = local.links
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = each.value.why
}

resource "aws_vpc_security_group_ingress_rule" "operators" {
  for_each                     = var.operator_security_group_ids
  security_group_id            = aws_security_group.this["weir"].id
  referenced_security_group_id = each.key
  ip_protocol                  = "tcp"
  from_port                    = var.admin_port
  to_port                      = var.admin_port
  description                  = "people on call: weir status, weir why"
}

# They fetch the admin token by themselves.
resource "aws_vpc_security_group_ingress_rule" "operators_aws" {
  for_each                     = var.operator_security_group_ids
  security_group_id            = aws_security_group.this["endpoints"].id
  referenced_security_group_id = each.key
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  description                  = "people on call: AWS services"
}

resource "aws_vpc_security_group_ingress_rule" "door" {
  for_each          = local.doors
  security_group_id = aws_security_group.this["balancer"].id
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  description       = each.value.why
}

resource "aws_vpc_security_group_ingress_rule" "door_ipv6" {
  for_each          = local.doors_ipv6
  security_group_id = aws_security_group.this["balancer"].id
  cidr_ipv6         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  description       = each.value.why
}

resource "aws_vpc_security_group_ingress_rule" "syslog" {
  for_each          = var.syslog_cidrs
  security_group_id = aws_security_group.this["weir"].id
  cidr_ipv4         = each.key
  ip_protocol       = "udp"
  from_port         = var.syslog_port
  to_port           = var.syslog_port
  description       = "syslog of gateways"
}

# Layers of images lie in S3.
resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each          = toset(["weir", "backend"])
  security_group_id = aws_security_group.this[each.key].id
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "S3, by its endpoint"
}

resource "aws_vpc_security_group_egress_rule" "out" {
  for_each          = var.nat ? toset(["weir", "backend"]) : []
  security_group_id = aws_security_group.this[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "the internet, by NAT"
}
