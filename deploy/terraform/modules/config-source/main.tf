# weir's config in AWS: a parameter (simple, free), or AppConfig (rolled out in steps, turned back by alarms).

resource "aws_ssm_parameter" "this" {
  count       = var.kind == "ssm" ? 1 : 0
  name        = "/${var.prefix}/config"
  description = "weir's config; weir asks every 10 s and takes it without a restart"
  type        = "String"
  tier        = length(var.config) > 4096 ? "Advanced" : "Standard"
  value       = var.config
}
