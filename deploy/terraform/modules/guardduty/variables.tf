variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "block_severity" {
  description = "From which severity weir gets a finding; guardduty.min_severity of weir's config holds as well."
  type        = number
  default     = 4
  validation {
    condition     = var.block_severity >= 1 && var.block_severity <= 10
    error_message = "Write a severity of GuardDuty, 1 to 10; 4 is medium, 7 is high."
  }
}

variable "tell_severity" {
  description = "From which severity people are told."
  type        = number
  default     = 7
  validation {
    condition     = var.tell_severity >= 1 && var.tell_severity <= 10
    error_message = "Write a severity of GuardDuty, 1 to 10; 4 is medium, 7 is high."
  }
}

variable "create_detector" {
  description = "Whether to make the detector. An account and Region has one at most: false where the organisation made it."
  type        = bool
  default     = true
}

variable "features" {
  description = "What GuardDuty looks at beside flow logs, DNS and CloudTrail; each costs."
  type        = set(string)
  default     = ["S3_DATA_EVENTS"]
  validation {
    condition     = alltrue([for name in var.features : contains(["S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "RUNTIME_MONITORING"], name)])
    error_message = "Write features such as S3_DATA_EVENTS, RDS_LOGIN_EVENTS, LAMBDA_NETWORK_LOGS, RUNTIME_MONITORING."
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
