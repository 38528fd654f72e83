# AWS's Shield Response Team: whom it calls when the health check fails in an attack, and what it may do then.

resource "aws_shield_proactive_engagement" "this" {
  count   = length(var.emergency_contacts) > 0 ? 1 : 0
  enabled = true
  dynamic "emergency_contact" {
    for_each = var.emergency_contacts
    content {
      email_address = emergency_contact.value.mail
      phone_number  = emergency_contact.value.phone
      contact_notes = emergency_contact.value.notes
    }
  }
  # It needs a protection whose health is known, and the right to look.
  depends_on = [aws_shield_protection_health_check_association.balancer, aws_shield_drt_access_role_arn_association.this]
}

resource "aws_iam_role" "response_team" {
  count = var.response_team_access ? 1 : 0
  name  = "${var.prefix}-shield-response-team"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "drt.shield.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

# AWS's own policy for this: it reads, and changes web ACLs and protections.
resource "aws_iam_role_policy_attachment" "response_team" {
  count      = var.response_team_access ? 1 : 0
  role       = aws_iam_role.response_team[0].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AWSShieldDRTAccessPolicy"
}

resource "aws_shield_drt_access_role_arn_association" "this" {
  count      = var.response_team_access ? 1 : 0
  role_arn   = aws_iam_role.response_team[0].arn
  depends_on = [aws_iam_role_policy_attachment.response_team]
}

data "aws_partition" "this" {}
