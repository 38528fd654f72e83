# The rules of network/rules.tf, as the older provider knows them.

resource "aws_security_group_rule" "egress" {
  for_each                 = local.links
  type                     = "egress"
  security_group_id        = aws_security_group.this[each.value.from].id
  source_security_group_id = aws_security_group.this[each.value.to].id
  protocol                 = "tcp"
  from_port                = each.value.port
  to_port                  = each.value.port
  description              = each.value.why
}

resource "aws_security_group_rule" "ingress" {
  for_each                 = local.links
  type                     = "ingress"
  security_group_id        = aws_security_group.this[each.value.to].id
  source_security_group_id = aws_security_group.this[each.value.from].id
  protocol                 = "tcp"
  from_port                = each.value.port
  to_port                  = each.value.port
  description              = each.value.why
}

resource "aws_security_group_rule" "door" {
  for_each          = local.doors
  type              = "ingress"
  security_group_id = aws_security_group.this["balancer"].id
  cidr_blocks       = [each.value.cidr]
  protocol          = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  description       = each.value.why
}
