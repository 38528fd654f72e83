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

variable "alarms_file" {
  description = "weir's list of alarms as JSON: deploy/alarms.json, which weir alarms writes."
  type        = string
  validation {
    condition     = can(jsondecode(file(var.alarms_file)).alarms)
    error_message = "Write the path of a file that weir alarms has written."
  }
}

variable "dashboard_file" {
  description = "weir's dashboard for CloudWatch, a template. Empty: none."
  type        = string
  default     = ""
}

variable "region" {
  description = "The Region, for dashboards."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write a Region, such as eu-central-1."
  }
}

variable "metric_namespace" {
  description = "cloudwatch.namespace of weir's config."
  type        = string
  default     = "weir"
}

variable "service" {
  description = "cloudwatch.service of weir's config."
  type        = string
  default     = "weir"
}

variable "environment" {
  description = "cloudwatch.environment of weir's config."
  type        = string
}

variable "load_balancer_suffix" {
  description = "Output arn_suffix of module load-balancer."
  type        = string
}

variable "target_group_suffixes" {
  description = "CloudWatch's names of the target groups, by colour."
  type        = map(string)
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "service_names" {
  description = "The ECS services."
  type        = set(string)
}

variable "web_acl_name" {
  description = "The web ACL."
  type        = string
}

variable "store_nodes" {
  description = "Nodes of the store."
  type        = set(string)
  default     = []
}

variable "poison_queue" {
  description = "Name of the queue of findings that weir did not understand. Empty: none."
  type        = string
  default     = ""
}

variable "mail" {
  description = "Who is told by mail."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for address in var.mail : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "Write mail addresses, such as oncall@example.com."
  }
}

variable "anomaly_width" {
  description = "How far from usual is unusual, in standard deviations."
  type        = number
  default     = 4
  validation {
    condition     = var.anomaly_width >= 1 && var.anomaly_width <= 10
    error_message = "Write 1 to 10 standard deviations; 4 is calm, 2 is nervous."
  }
}

variable "waf_blocks_a_minute" {
  description = "Blocked requests a minute above which people hear of it."
  type        = number
  default     = 10000
  validation {
    condition     = var.waf_blocks_a_minute > 0
    error_message = "Write a number above 0."
  }
}
