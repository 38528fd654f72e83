# Shield Advanced: off unless asked for, as it binds the organisation for a year and 3,000 USD a month.

resource "aws_shield_protection" "balancer" {
  name         = "${var.prefix}-balancer"
  resource_arn = var.load_balancer_arn
}

# Detection by health: with it Shield acts sooner when traffic hurts, and later when it does not.
resource "aws_shield_protection_health_check_association" "balancer" {
  shield_protection_id = aws_shield_protection.balancer.id
  health_check_arn     = var.health_check_arn
}

resource "aws_shield_protection_group" "this" {
  protection_group_id = var.prefix
  aggregation         = "MEAN"
  pattern             = "ARBITRARY"
  members             = concat([var.load_balancer_arn], var.more_arns)
  depends_on          = [aws_shield_protection.balancer]
}

# Shield puts a rule of its own into the web ACL while it sees an attack. The anti-DDoS group of module waf does the same
# work, and Terraform would take the rule out again: so it is off unless that group is.
resource "aws_shield_application_layer_automatic_response" "balancer" {
  count        = var.automatic_response == null ? 0 : 1
  resource_arn = var.load_balancer_arn
  action       = var.automatic_response
  depends_on   = [aws_shield_protection.balancer]
}
