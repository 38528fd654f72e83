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
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "config_parameter" {
  description = "The parameter that holds weir's config; the kill switch writes it."
  type        = string
  default     = ""
}

variable "patch_services" {
  description = "Services whose tasks are started anew in the maintenance window, by a short name."
  type        = map(string)
  default     = {}
}

variable "maintenance_schedule" {
  description = "When the quiet hours begin, in UTC."
  type        = string
  default     = "cron(0 3 ? * SUN *)"
  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.maintenance_schedule))
    error_message = "Write cron(…) or rate(…), such as cron(0 3 ? * SUN *)."
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
