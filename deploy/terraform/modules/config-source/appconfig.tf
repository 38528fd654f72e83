# AppConfig: weir's own schema stands before a faulty config, and the rollback alarm behind one that does harm.

resource "aws_appconfig_application" "this" {
  count       = local.appconfig
  name        = var.prefix
  description = "weir's config"
}

resource "aws_appconfig_environment" "this" {
  count          = local.appconfig
  name           = var.environment
  application_id = aws_appconfig_application.this[0].id
  dynamic "monitor" {
    for_each = var.alarm_arns
    content {
      alarm_arn      = monitor.value
      alarm_role_arn = aws_iam_role.monitor[0].arn
    }
  }
}

resource "aws_appconfig_configuration_profile" "this" {
  count              = local.appconfig
  name               = "weir"
  application_id     = aws_appconfig_application.this[0].id
  location_uri       = "hosted"
  kms_key_identifier = var.kms_key_arn
  # The config is TOML; AppConfig's JSON_SCHEMA validator reads JSON alone, so a function holds it against the schema.
  validator {
    type    = "LAMBDA"
    content = aws_lambda_function.validator[0].arn
  }
}

resource "aws_appconfig_hosted_configuration_version" "this" {
  count                    = local.appconfig
  application_id           = aws_appconfig_application.this[0].id
  configuration_profile_id = aws_appconfig_configuration_profile.this[0].configuration_profile_id
  content_type             = "application/toml"
  content                  = var.config
}

resource "aws_appconfig_hosted_configuration_version" "observe" {
  count                    = var.observe_config == "" ? 0 : local.appconfig
  application_id           = aws_appconfig_application.this[0].id
  configuration_profile_id = aws_appconfig_configuration_profile.this[0].configuration_profile_id
  description              = "Observes only: for the kill switch"
  content_type             = "application/toml"
  content                  = var.observe_config
  # Versions are numbered as they come; two at once would take each other's number.
  depends_on = [aws_appconfig_hosted_configuration_version.this]
}

resource "aws_appconfig_deployment_strategy" "this" {
  count                          = local.appconfig
  name                           = var.prefix
  description                    = "A fifth of the tasks each fifth of the time; back, if an alarm goes off"
  deployment_duration_in_minutes = var.rollout_minutes
  final_bake_time_in_minutes     = var.rollout_minutes
  growth_factor                  = 20
  growth_type                    = "LINEAR"
  replicate_to                   = "NONE"
}

# For the kill switch, which is needed while the alarm is on: no time in which the alarm could turn it back.
resource "aws_appconfig_deployment_strategy" "at_once" {
  count                          = var.observe_config == "" ? 0 : local.appconfig
  name                           = "${var.prefix}-at-once"
  description                    = "All tasks at once, and no look at alarms: for the kill switch"
  deployment_duration_in_minutes = 0
  final_bake_time_in_minutes     = 0
  growth_factor                  = 100
  growth_type                    = "LINEAR"
  replicate_to                   = "NONE"
}

resource "aws_appconfig_deployment" "this" {
  count                    = local.appconfig
  application_id           = aws_appconfig_application.this[0].id
  environment_id           = aws_appconfig_environment.this[0].environment_id
  configuration_profile_id = aws_appconfig_configuration_profile.this[0].configuration_profile_id
  configuration_version    = aws_appconfig_hosted_configuration_version.this[0].version_number
  deployment_strategy_id   = aws_appconfig_deployment_strategy.this[0].id
  kms_key_identifier       = var.kms_key_arn
}

# AppConfig looks at the alarms with this role.
resource "aws_iam_role" "monitor" {
  count = length(var.alarm_arns) > 0 ? local.appconfig : 0
  name  = "${var.prefix}-appconfig-monitor"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "appconfig.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "monitor" {
  count = length(var.alarm_arns) > 0 ? local.appconfig : 0
  name  = "look-at-alarms"
  role  = aws_iam_role.monitor[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    # A composite alarm, as the rollback alarm is, is told to nobody whose right is narrower than all alarms.
    Statement = [{ Sid = "Look", Effect = "Allow", Action = ["cloudwatch:DescribeAlarms"], Resource = "*" }]
  })
}

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  appconfig = var.kind == "appconfig" ? 1 : 0
}
