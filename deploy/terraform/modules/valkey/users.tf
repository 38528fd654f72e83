# One user, who may do to weir's keys what weir does, and nothing else. The default user is off.

resource "aws_elasticache_user" "default" {
  user_id       = "${var.prefix}-default"
  user_name     = "default"
  engine        = "valkey"
  access_string = "off -@all"
  # A group of Valkey users takes none without a password; whoever knows this one can't log in here with it either.
  passwords_wo         = var.password
  passwords_wo_version = var.password_version
}

resource "aws_elasticache_user" "weir" {
  user_id       = "${var.prefix}-weir"
  user_name     = "weir"
  engine        = "valkey"
  access_string = "on resetkeys ~weir:{${var.fleet_name}}:* -@all +@hash +@stream +@string +@scripting +del +time +ping +client"
  # Write-only: the password reaches AWS and never the state.
  passwords_wo         = var.password
  passwords_wo_version = var.password_version
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.prefix
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.default.user_id, aws_elasticache_user.weir.user_id]
}

# The same for weir's tasks, which read it at their start.
resource "aws_secretsmanager_secret" "password" {
  name                    = "${var.prefix}/store-password"
  description             = "Password of user weir of the store"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.password.id
  secret_string_wo         = var.password
  secret_string_wo_version = var.password_version
}
