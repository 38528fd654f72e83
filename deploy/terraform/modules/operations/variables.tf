variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "topic_arn" {
  description = "The topic that tells people: output topic_arn of module monitoring."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(sns|stub):", var.topic_arn))
    error_message = "Write the ARN of a topic, arn:aws:sns:REGION:ACCOUNT:NAME."
  }
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.cluster_name))
    error_message = "Write the cluster's name, not its ARN."
  }
}

variable "block_sets" {
  description = "The IP sets that `block` writes to, each of which the web ACL must block. Null: weir's first of each family; weir leaves alone what it did not put there."
  type        = object({ ipv4 = string, ipv6 = string })
  default     = null
  validation {
    condition     = var.block_sets == null || alltrue([for name in values(coalesce(var.block_sets, { ipv4 = "", ipv6 = "" })) : can(regex("^[A-Za-z0-9_-]{1,128}$", name))])
    error_message = "Write the names of two IP sets, such as { ipv4 = \"weir-production-ipv4-0\", ipv6 = \"weir-production-ipv6-0\" }."
  }
}

variable "config_parameter" {
  description = "The parameter that holds weir's config, for the kill switch; beside it stands NAME-observe. Not used with config_appconfig."
  type        = string
  default     = ""
  validation {
    condition     = var.config_parameter == "" ? var.config_appconfig != null : can(regex("^/[A-Za-z0-9_./-]+$", var.config_parameter))
    error_message = "Write the parameter's whole name, such as /weir-production/config, or set config_appconfig."
  }
}

variable "config_appconfig" {
  description = "Where weir's config lies in AppConfig, for the kill switch: output appconfig of module config-source. Null: in config_parameter."
  type = object({
    application = string
    environment = string
    profile     = string
    strategy    = string
    key         = string
    enforce     = string
    observe     = string
  })
  default = null
}

variable "patch_services" {
  description = "Services whose tasks are started anew in the maintenance window, by a short name."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name in values(var.patch_services) : startswith(name, "${var.prefix}-")])
    error_message = "Write services whose names begin with the prefix, such as { blue = \"weir-production-blue\" }."
  }
}

variable "maintenance_schedule" {
  description = "When the quiet hours begin."
  type        = string
  default     = "cron(0 3 ? * SUN *)"
  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.maintenance_schedule))
    error_message = "Write cron(…) or rate(…), such as cron(0 3 ? * SUN *)."
  }
}

variable "maintenance_timezone" {
  description = "The time zone of maintenance_schedule."
  type        = string
  default     = "UTC"
  validation {
    condition     = can(regex("^(UTC|[A-Z][A-Za-z_]+/[A-Za-z_/-]+)$", var.maintenance_timezone))
    error_message = "Write UTC or a name of the IANA database, such as Europe/Berlin."
  }
}

variable "monthly_budget" {
  description = "What a month may cost, in US dollars."
  type        = number
  validation {
    condition     = var.monthly_budget > 0
    error_message = "Write an amount above 0."
  }
}

variable "anomaly_dollars" {
  description = "From how many dollars above the usual people are told."
  type        = number
  default     = 50
  validation {
    condition     = var.anomaly_dollars > 0
    error_message = "Write an amount above 0."
  }
}

variable "activate_cost_tags" {
  description = "Whether to turn the tags on for bills; only the payer account may."
  type        = bool
  default     = false
}
