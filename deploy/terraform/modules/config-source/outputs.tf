output "source" {
  description = "What weir gets as --config."
  value       = var.kind == "ssm" ? "ssm:/${var.prefix}/config" : "appconfig:${var.prefix}/${var.environment}/weir"
}

output "parameter" {
  description = "The parameter that holds the config, for the kill switch: config_parameter of module operations. Empty with appconfig."
  value       = var.kind == "ssm" ? "/${var.prefix}/config" : ""
}

output "appconfig" {
  description = "Where the config lies in AppConfig, for the kill switch: config_appconfig of module operations. Null with ssm, or without observe_config."
  value = var.kind == "ssm" || var.observe_config == "" ? null : {
    application = aws_appconfig_application.this[0].id
    environment = aws_appconfig_environment.this[0].environment_id
    profile     = aws_appconfig_configuration_profile.this[0].configuration_profile_id
    strategy    = aws_appconfig_deployment_strategy.at_once[0].id
    key         = var.kms_key_arn
    enforce     = tostring(aws_appconfig_hosted_configuration_version.this[0].version_number)
    observe     = tostring(aws_appconfig_hosted_configuration_version.observe[0].version_number)
  }
}

output "task_rights" {
  description = "What weir may do here: for task_rights of module service."
  value = merge(
    { for name, parameter in aws_ssm_parameter.this : "ConfigRead" => { actions = ["ssm:GetParameter"], resources = [parameter.arn], condition = {} } if name == "config" },
    { for one in aws_appconfig_environment.this : "ConfigRead" => {
      actions   = ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"]
      resources = ["${one.arn}/configuration/${aws_appconfig_configuration_profile.this[0].configuration_profile_id}"]
      condition = {}
    } },
    # What is encrypted with a key of ours is read with a right to that key, by way of AppConfig alone.
    { for one in aws_appconfig_environment.this : "ConfigKey" => {
      actions   = ["kms:Decrypt"]
      resources = [var.kms_key_arn]
      condition = { StringEquals = { "kms:ViaService" = "appconfig.${data.aws_region.this.region}.amazonaws.com" } }
    } },
  )
}
