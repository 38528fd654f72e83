# Secrets of weir's tasks. Their values pass through Terraform and reach neither plan nor state (write-only): they are
# needed at the first apply, and again when a version in secret_versions rises. In between the variables are left unset.

resource "aws_secretsmanager_secret" "weir" {
  for_each = {
    admin-token      = "Bearer token of weir's admin address"
    challenge-secret = "What challenge cookies are signed with, the same for all tasks"
    address-key      = "What hashed addresses in logs are made with, the same for all tasks"
  }
  name                    = "${var.prefix}/${each.key}"
  description             = each.value
  kms_key_id              = module.key.arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "weir" {
  for_each = {
    admin-token      = var.secret_versions.admin_token
    challenge-secret = var.secret_versions.challenge_secret
    address-key      = var.secret_versions.address_key
  }
  secret_id                = aws_secretsmanager_secret.weir[each.key].id
  secret_string_wo_version = each.value
  secret_string_wo = {
    admin-token      = var.admin_token
    challenge-secret = var.challenge_secret
    address-key      = var.address_key
  }[each.key]
}
