output "source" {
  description = "What weir gets as --config."
  value       = var.kind == "ssm" ? "ssm:/${var.prefix}/config" : "appconfig:${var.prefix}/${var.environment}/weir"
}

output "task_rights" {
  description = "What weir may do here: for task_rights of module service."
  value = var.kind == "ssm" ? {
    ConfigRead = { actions = ["ssm:GetParameter"], resources = aws_ssm_parameter.this[*].arn, condition = {} }
    } : {
    ConfigRead = {
      actions   = ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"]
      resources = [for one in aws_appconfig_environment.this : "${one.arn}/configuration/${aws_appconfig_configuration_profile.this[0].configuration_profile_id}"]
      condition = {}
    }
  }
}
