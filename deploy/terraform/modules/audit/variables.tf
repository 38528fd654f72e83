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

variable "create_recorder" {
  description = "Whether to make AWS Config's recorder. An account and Region has one at most: false where the organisation made it."
  type        = bool
  default     = true
}

variable "create_hub" {
  description = "Whether to turn Security Hub on. False where the organisation did."
  type        = bool
  default     = true
}

variable "protected" {
  description = "Whether what is recorded is locked and kept from deletion. True in production."
  type        = bool
  default     = true
}

variable "lock_days" {
  description = "For how many days nobody can change or delete what was recorded."
  type        = number
  default     = 365
  validation {
    condition     = var.lock_days >= 1 && var.lock_days <= 3650
    error_message = "Write 1 to 3650 days."
  }
}

variable "managed_rules" {
  description = "Rules of AWS Config, by their name in small letters, and why."
  type        = map(string)
  default = {
    "vpc-flow-logs-enabled"                      = "Who spoke to whom can be looked up"
    "vpc-default-security-group-closed"          = "Nothing gets through by forgetting a group"
    "elb-logging-enabled"                        = "Requests can be looked up"
    "elb-deletion-protection-enabled"            = "Nobody removes the load balancer by mistake"
    "alb-waf-enabled"                            = "The web ACL guards the load balancer"
    "alb-http-drop-invalid-header-enabled"       = "Odd headers do not reach weir"
    "alb-http-to-https-redirection-check"        = "Nobody speaks without TLS"
    "wafv2-logging-enabled"                      = "What AWS WAF did can be looked up"
    "ecs-containers-readonly-access"             = "Nothing is written into a container"
    "ecs-containers-nonprivileged"               = "No container is privileged"
    "ecs-no-environment-secrets"                 = "No secret stands in a task definition"
    "ecs-fargate-latest-platform-version"        = "Tasks run on the newest platform"
    "elasticache-repl-grp-encrypted-at-rest"     = "The store is encrypted"
    "elasticache-repl-grp-encrypted-in-transit"  = "The store is spoken to by TLS"
    "elasticache-repl-grp-auto-failover-enabled" = "The store outlives a zone"
    "cloudtrail-enabled"                         = "Who did what can be looked up"
    "cloud-trail-log-file-validation-enabled"    = "Nobody changed the record"
    "guardduty-enabled-centralized"              = "Attacks that weir does not see are seen"
    "iam-policy-no-statements-with-admin-access" = "Nobody may do everything"
    "s3-bucket-level-public-access-prohibited"   = "No bucket is public"
    "cmk-backing-key-rotation-enabled"           = "Keys are rotated"
  }
  validation {
    condition     = alltrue([for rule in keys(var.managed_rules) : can(regex("^[a-z0-9-]+$", rule))])
    error_message = "Write names of managed rules, in small letters with dashes."
  }
}

variable "promises_zip" {
  description = "The function that judges weir's own promises, as a zip: promises/build.py makes it."
  type        = string
  validation {
    condition     = endswith(var.promises_zip, ".zip")
    error_message = "Write the path of the zip that promises/build.py makes."
  }
}
