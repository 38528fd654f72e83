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
  description = "weir's list of alarms as JSON: deploy/alarms.json, which weir schema --alarms writes."
  type        = string
  validation {
    condition     = try(jsondecode(file(var.alarms_file)).version == 1, false)
    error_message = "Write the path of a file that weir schema --alarms has written (version 1)."
  }
  validation {
    condition     = length(setintersection(["known-refused", "silent"], try([for alarm in jsondecode(file(var.alarms_file)).alarms : alarm.rule], []))) == 2
    error_message = "The list needs the rules known-refused and silent: a release is turned back by them. Do not turn them off in [[alert]]."
  }
}

variable "dashboard_file" {
  description = "weir's dashboard for CloudWatch, a template. Empty: none."
  type        = string
  default     = ""
  validation {
    condition     = var.dashboard_file == "" || can(file(var.dashboard_file))
    error_message = "Write the path of a dashboard that weir schema --dashboard cloudwatch has written, or nothing."
  }
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
  validation {
    condition     = can(regex("^[A-Za-z0-9_./#:-]{1,255}$", var.metric_namespace))
    error_message = "Write letters, digits and _ . / # : - alone, as in [cloudwatch] of weir's config."
  }
}

variable "service" {
  description = "cloudwatch.service of weir's config."
  type        = string
  default     = "weir"
  validation {
    condition     = can(regex("^[A-Za-z0-9_./#:-]{1,255}$", var.service))
    error_message = "Write letters, digits and _ . / # : - alone, as in [cloudwatch] of weir's config."
  }
}

variable "environment" {
  description = "cloudwatch.environment of weir's config."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_./#:-]{1,255}$", var.environment))
    error_message = "Write letters, digits and _ . / # : - alone, as in [cloudwatch] of weir's config."
  }
}

variable "load_balancer_suffix" {
  description = "Output arn_suffix of module load-balancer."
  type        = string
  validation {
    condition     = var.load_balancer_suffix != "" && !startswith(var.load_balancer_suffix, "arn:")
    error_message = "Write the end of the load balancer's ARN, app/NAME/ID."
  }
}

variable "target_group_suffixes" {
  description = "CloudWatch's names of the target groups, by colour."
  type        = map(string)
  validation {
    condition     = length(var.target_group_suffixes) > 0 && alltrue([for colour in keys(var.target_group_suffixes) : can(regex("^[a-z][a-z0-9_]*$", colour))])
    error_message = "Write at least one colour, in small letters, such as { blue = \"targetgroup/weir-blue/0123456789abcdef\" }."
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

variable "service_names" {
  description = "The ECS services."
  type        = set(string)
  validation {
    condition     = alltrue([for name in var.service_names : startswith(name, "${var.prefix}-")])
    error_message = "Write services whose names begin with the prefix, such as weir-production-blue."
  }
}

variable "web_acl_name" {
  description = "The web ACL."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", var.web_acl_name))
    error_message = "Write the web ACL's name, not its ARN."
  }
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

variable "findings_queue" {
  description = "Name of the queue from which weir reads findings. Empty: none."
  type        = string
  default     = ""
}

variable "balancer_errors_a_minute" {
  description = "Answers 5xx of the load balancer's own a minute above which something is wrong."
  type        = number
  default     = 20
  validation {
    condition     = var.balancer_errors_a_minute >= 0
    error_message = "Write a number, 0 or above."
  }
}

variable "slow_seconds" {
  description = "Seconds that no more than one answer in twenty may take."
  type        = number
  default     = 2
  validation {
    condition     = var.slow_seconds > 0 && var.slow_seconds <= 60
    error_message = "Write seconds, above 0 and 60 at most."
  }
}

variable "always_used" {
  description = "Whether somebody comes in every minute of the day. If so, that nobody comes is an alarm."
  type        = bool
  default     = true
}

variable "webhooks" {
  description = "Who is told by HTTPS, such as a paging service."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for url in var.webhooks : can(regex("^https://[^ ]+$", url))])
    error_message = "Write addresses that begin with https://."
  }
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
