# weir's config in AWS: a parameter (simple, free), or AppConfig (rolled out in steps, turned back by alarms).
# Beside it lies the same config that only observes, for the kill switch of module operations.

locals {
  parameters = var.kind != "ssm" ? {} : { for name, text in { config = var.config, config-observe = var.observe_config } : name => text if text != "" }
  # What AWS counts is bytes.
  bytes = { for name, text in { config = var.config, config-observe = var.observe_config } : name => floor(length(base64encode(text)) * 3 / 4) - length(regexall("=", base64encode(text))) }
}

# A config holds no secret: weir reads those from variables that ECS fills. So it needs no key, and a task no right to one.
resource "aws_ssm_parameter" "this" {
  for_each    = local.parameters
  name        = "/${var.prefix}/${each.key}"
  description = each.key == "config" ? "weir's config; weir asks every 10 s and takes it without a restart" : "The same config, observing only: the kill switch copies it"
  type        = "String"
  tier        = local.bytes[each.key] > 4096 ? "Advanced" : "Standard"
  value       = each.value
}
