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

variable "create_config_role" {
  description = "Whether to make AWS Config's service-linked role along with the recorder. False where AWS Config was ever used in the account."
  type        = bool
  default     = true
}

variable "create_hub" {
  description = "Whether to turn Security Hub and Access Analyzer on; an account and Region has one of each at most. False where the organisation did."
  type        = bool
  default     = true
}

variable "standards" {
  description = "Security Hub's standards, as their ARNs end."
  type        = set(string)
  default     = ["aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/3.0.0"]
  validation {
    condition     = alltrue([for name in var.standards : can(regex("^[a-z0-9-]+/v/[0-9]+\\.[0-9]+\\.[0-9]+$", name))])
    error_message = "Write NAME/v/VERSION, such as cis-aws-foundations-benchmark/v/3.0.0."
  }
}

variable "log_accounts" {
  description = "Other accounts whose trails and recorders write into the bucket: those of the StackSets."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for id in var.log_accounts : can(regex("^[0-9]{12}$", id))])
    error_message = "Write the accounts' ids, 12 digits each."
  }
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
  description = "AWS Config's managed rules, by their identifier; why, and parameters."
  type        = map(object({ why = string, parameters = optional(map(string), {}) }))
  default = {
    VPC_FLOW_LOGS_ENABLED                      = { why = "Who spoke to whom can be looked up" }
    VPC_DEFAULT_SECURITY_GROUP_CLOSED          = { why = "Nothing gets through by forgetting a group" }
    ELB_LOGGING_ENABLED                        = { why = "Requests can be looked up" }
    ELB_DELETION_PROTECTION_ENABLED            = { why = "Nobody removes the load balancer by mistake" }
    ALB_WAF_ENABLED                            = { why = "A web ACL guards each load balancer" }
    ALB_HTTP_DROP_INVALID_HEADER_ENABLED       = { why = "Odd headers do not reach weir" }
    ALB_DESYNC_MODE_CHECK                      = { why = "Requests that smuggle others are not passed on", parameters = { desyncMode = "defensive,strictest" } }
    ALB_HTTP_TO_HTTPS_REDIRECTION_CHECK        = { why = "Nobody speaks without TLS" }
    WAFV2_LOGGING_ENABLED                      = { why = "What AWS WAF did can be looked up" }
    ECS_CONTAINERS_READONLY_ACCESS             = { why = "Nothing is written into a container" }
    ECS_CONTAINERS_NONPRIVILEGED               = { why = "No container is privileged" }
    ECS_NO_ENVIRONMENT_SECRETS                 = { why = "No key of AWS stands in a task definition", parameters = { secretKeys = "AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY,AWS_SESSION_TOKEN" } }
    ECS_TASK_DEFINITION_LOG_CONFIGURATION      = { why = "Each container has a log" }
    ECS_FARGATE_LATEST_PLATFORM_VERSION        = { why = "Tasks run on the newest platform", parameters = { latestLinuxVersion = "1.4.0" } }
    ELASTICACHE_REPL_GRP_ENCRYPTED_AT_REST     = { why = "The store is encrypted" }
    ELASTICACHE_REPL_GRP_ENCRYPTED_IN_TRANSIT  = { why = "The store is spoken to by TLS" }
    ELASTICACHE_REPL_GRP_AUTO_FAILOVER_ENABLED = { why = "The store outlives a zone" }
    CLOUD_TRAIL_ENABLED                        = { why = "Who did what can be looked up" }
    CLOUD_TRAIL_ENCRYPTION_ENABLED             = { why = "The record is encrypted with a key of ours" }
    CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED    = { why = "Nobody changed the record" }
    GUARDDUTY_ENABLED_CENTRALIZED              = { why = "Attacks that weir does not see are seen" }
    IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS = { why = "Nobody may do everything" }
    ROOT_ACCOUNT_MFA_ENABLED                   = { why = "A password alone does not open the account" }
    S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED   = { why = "No bucket is public" }
    CMK_BACKING_KEY_ROTATION_ENABLED           = { why = "Keys are rotated" }
  }
  validation {
    condition     = alltrue([for rule in keys(var.managed_rules) : can(regex("^[A-Z0-9]+(_[A-Z0-9]+)*$", rule))])
    error_message = "Write identifiers of managed rules as AWS Config's list has them, such as ALB_WAF_ENABLED."
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

variable "operator_security_group_ids" {
  description = "Security groups that may reach weir's admin address; anybody else there is a broken promise."
  type        = set(string)
  default     = []
  validation {
    condition     = length(var.operator_security_group_ids) <= 5 && alltrue([for id in var.operator_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "Write the ids of at most five security groups, such as sg-0123456789abcdef0."
  }
}

variable "gateways" {
  description = "Networks that may send syslog to weir, and its port; anybody else there is a broken promise. Null: nobody may."
  type        = object({ networks = set(string), port = number })
  default     = null
  validation {
    condition     = var.gateways == null ? true : alltrue([for network in var.gateways.networks : can(cidrnetmask(network)) && !endswith(network, "/0")]) && var.gateways.port > 0 && var.gateways.port < 65536
    error_message = "Write networks of gateways such as 192.0.2.0/28, and a port from 1 to 65535; or null."
  }
}
