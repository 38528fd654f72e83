variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts what is stored: output arn of module key."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(kms|stub):", var.kms_key_arn))
    error_message = "Write the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "retention_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 90
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "Write a number of days that CloudWatch Logs takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400 or years up to 3653."
  }
}

variable "environment" {
  description = "AppConfig's environment, such as production."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]{1,64}$", var.environment))
    error_message = "Write small letters, digits and dashes, such as production."
  }
}

variable "kind" {
  description = "Where the config lies: ssm or appconfig."
  type        = string
  default     = "ssm"
  validation {
    condition     = contains(["ssm", "appconfig"], var.kind)
    error_message = "Write ssm (a parameter, in force within 10 s) or appconfig (rolled out in steps, turned back by alarms)."
  }
}

variable "config" {
  description = "weir's config, as TOML. `weir check` first."
  type        = string
  validation {
    condition     = var.config != ""
    error_message = "Write a config: weir does not start without one."
  }
  validation {
    condition     = var.kind == "appconfig" || floor(length(base64encode(var.config)) * 3 / 4) - length(regexall("=", base64encode(var.config))) <= 8192
    error_message = "Write a config of 8 KB (8192 bytes) at most, which is what Parameter Store takes, or set kind = \"appconfig\", which takes 1 MB."
  }
  validation {
    condition     = floor(length(base64encode(var.config)) * 3 / 4) <= 1048576
    error_message = "Write a config of 1 MiB at most, which is what weir reads."
  }
}

variable "observe_config" {
  description = "The same config, with every limit observing, and the flood defence and bans off: what the kill switch puts in force. Empty: no kill switch."
  type        = string
  default     = ""
  validation {
    condition     = var.kind == "appconfig" || floor(length(base64encode(var.observe_config)) * 3 / 4) - length(regexall("=", base64encode(var.observe_config))) <= 8192
    error_message = "Write a config of 8 KB (8192 bytes) at most, as for config."
  }
}

variable "alarm_arns" {
  description = "Alarms that turn a rollout of a config back. Only for appconfig, which watches five at most."
  type        = list(string)
  default     = []
  validation {
    condition     = length(var.alarm_arns) <= 5 && alltrue([for arn in var.alarm_arns : can(regex("^arn:[a-z-]+:(cloudwatch|stub):", arn))])
    error_message = "Write five ARNs of alarms at most, arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME."
  }
}

variable "rollout_minutes" {
  description = "How many minutes AppConfig takes to reach all tasks, and how many it then watches the alarms."
  type        = number
  default     = 10
  validation {
    condition     = var.rollout_minutes >= 1 && var.rollout_minutes <= 1440
    error_message = "Write 1 to 1440 minutes."
  }
}

variable "validator_zip" {
  description = "The validator as a zip: validator/build.py makes it. Only for appconfig."
  type        = string
  default     = ""
  validation {
    condition     = var.kind == "ssm" || endswith(var.validator_zip, ".zip")
    error_message = "Write the path of the validator's zip, which validator/build.py makes."
  }
}
