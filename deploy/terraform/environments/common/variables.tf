variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "environment" {
  description = "Name of the environment, in tags, metrics and AppConfig."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]{1,32}$", var.environment))
    error_message = "Write small letters, digits and dashes, such as production."
  }
}

variable "protected" {
  description = "Whether things are kept from deletion."
  type        = bool
  default     = true
  validation {
    condition     = !(var.environment == "production" && !var.protected)
    error_message = "Production is protected: leave this true."
  }
}

variable "region" {
  description = "The AWS Region."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write a Region, such as eu-central-1."
  }
}

variable "account_id" {
  description = "The AWS account; Terraform refuses to work in another one."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Write the twelve digits of the account."
  }
}

variable "zones" {
  description = "Three availability zones of the Region."
  type        = list(string)
  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)]) && length(var.zones) == 3
    error_message = "Write three zones of the Region, such as eu-central-1a."
  }
}

variable "cidr" {
  description = "The VPC's network."
  type        = string
  default     = "10.20.0.0/16"
  validation {
    condition     = can(cidrnetmask(var.cidr))
    error_message = "Write an IPv4 network, such as 10.20.0.0/16."
  }
}

variable "nat" {
  description = "Whether tasks reach the internet. weir and AWS need it not; the backend may."
  type        = bool
  default     = false
}

variable "client_cidrs" {
  description = "IPv4 networks that clients come from."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  validation {
    condition     = length(var.client_cidrs) > 0
    error_message = "Write at least one network; 0.0.0.0/0 is everybody."
  }
}

variable "test_cidrs" {
  description = "IPv4 networks that tests of a release come from."
  type        = set(string)
  default     = []
  validation {
    condition     = !contains(var.test_cidrs, "0.0.0.0/0")
    error_message = "Write the networks of your pipeline or office; the test listener is not for everybody."
  }
}

variable "certificate_arn" {
  description = "The certificate of ACM that clients see."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:", var.certificate_arn))
    error_message = "Write the ARN of a certificate in ACM."
  }
}

variable "repository_arns" {
  description = "The ECR repositories of the images."
  type        = list(string)
  validation {
    condition     = length(var.repository_arns) > 0
    error_message = "Write the ARN of each repository that the images come from."
  }
}

variable "prepare_image" {
  description = "A busybox from your own registry, which writes secrets to files before weir starts."
  type        = string
  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[^:/@]+)$", var.prepare_image))
    error_message = "Write the image with a digest or a version."
  }
}

variable "architecture" {
  description = "Processor of the tasks, as the images were built."
  type        = string
  default     = "ARM64"
  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "Write ARM64 or X86_64."
  }
}

variable "weir" {
  description = "weir's image, size (CPU units, MiB), tasks, and requests a second that one task shall have: docs/capacity.md."
  type = object({
    image           = string
    cpu             = optional(number, 1024)
    memory          = optional(number, 2048)
    min_tasks       = optional(number, 3)
    max_tasks       = optional(number, 30)
    requests_a_task = optional(number, 1000)
  })
}

variable "backend" {
  description = "The service behind weir: image, port, size, tasks, environment."
  type = object({
    image       = string
    port        = optional(number, 9000)
    cpu         = optional(number, 1024)
    memory      = optional(number, 2048)
    min_tasks   = optional(number, 2)
    max_tasks   = optional(number, 10)
    environment = optional(map(string), {})
  })
}

variable "limits" {
  description = "weir's limits by name: rate and burst of a client, refuse or observe, and for which path and methods."
  type = map(object({
    rate   = string
    burst  = number
    action = optional(string, "observe")
    path   = optional(string)
    method = optional(list(string), ["GET", "POST"])
  }))
  default = { per-client = { rate = "10/s", burst = 100 } }
  validation {
    condition     = alltrue([for limit in var.limits : can(regex("^[0-9]+/[smh]$", limit.rate)) && contains(["observe", "refuse", "close"], limit.action)])
    error_message = "Write rates such as 10/s, 30/m or 100/h, and an action observe, refuse or close."
  }
}

variable "waf_managed" {
  description = "Managed rule groups of AWS: whether each blocks or only counts, and which of its rules only count."
  type = map(object({
    group      = string
    enforce    = optional(bool, true)
    count_only = optional(set(string), [])
  }))
  default = {
    "1-reputation" = { group = "AWSManagedRulesAmazonIpReputationList" }
    "2-common"     = { group = "AWSManagedRulesCommonRuleSet", count_only = ["SizeRestrictions_BODY"] }
    "3-known-bad"  = { group = "AWSManagedRulesKnownBadInputsRuleSet" }
    "4-sql"        = { group = "AWSManagedRulesSQLiRuleSet" }
  }
}

variable "waf_anti_ddos" {
  description = "AWS's DDoS rules; null turns them off."
  type = object({
    sensitivity = optional(string, "LOW")
    challenge   = optional(bool, true)
    exempt      = optional(list(string), ["\\/api\\/|\\.(acc|avi|css|gif|ico|jpe?g|js|json|mp[34]|ogg|otf|pdf|png|tiff?|ttf|webm|webp|woff2?|xml)$"])
  })
  default = {}
}

variable "dns" {
  description = "The name that clients use, its hosted zone, and where they go while this Region is not well. Null: DNS is elsewhere."
  type = object({
    zone_id   = string
    name      = string
    secondary = optional(object({ dns_name = string, zone_id = string }))
  })
  default = null
}

variable "shield_advanced" {
  description = "Whether Shield Advanced protects the load balancer. It binds the organisation for a year."
  type        = bool
  default     = false
  validation {
    condition     = !var.shield_advanced || var.dns != null
    error_message = "Set dns too: Shield's detection needs its health check."
  }
}

variable "store_password" {
  description = "Password of the store's user. Pass it as TF_VAR_store_password."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "admin_token" {
  description = "Token of weir's admin address. Pass it as TF_VAR_admin_token."
  type        = string
  sensitive   = true
  ephemeral   = true
  validation {
    condition     = can(regex("^[A-Za-z0-9_.~-]{32,128}$", var.admin_token))
    error_message = "Write 32 to 128 letters, digits and _.~-, such as openssl rand -hex 32 makes."
  }
}

variable "origin_capacity" {
  description = "What the backend bears: measure it, then write a little less."
  type        = string
  validation {
    condition     = can(regex("^[0-9]+/s$", var.origin_capacity))
    error_message = "Write requests a second, such as 500/s."
  }
}

variable "origin_health_path" {
  description = "A path of the backend that says 200 while it is well."
  type        = string
  default     = "/healthz"
  validation {
    condition     = startswith(var.origin_health_path, "/")
    error_message = "Write a path that begins with /."
  }
}

variable "config_kind" {
  description = "Where weir's config lies."
  type        = string
  default     = "ssm"
  validation {
    condition     = contains(["ssm", "appconfig"], var.config_kind)
    error_message = "Write ssm or appconfig."
  }
}

variable "waf_rate_limit" {
  description = "Requests a minute of one address from which AWS WAF blocks it."
  type        = number
  default     = 6000
  validation {
    condition     = var.waf_rate_limit >= 600
    error_message = "Write 600 a minute or more; weir does the fine limiting."
  }
}

variable "store_node_type" {
  description = "Size of a node of the store."
  type        = string
  default     = "cache.t4g.small"
  validation {
    condition     = startswith(var.store_node_type, "cache.")
    error_message = "Write a node type of ElastiCache, such as cache.t4g.small."
  }
}

variable "store_password_version" {
  description = "Raise by one when the store's password changes."
  type        = number
  default     = 1
  validation {
    condition     = var.store_password_version >= 1
    error_message = "Write a whole number, 1 or more."
  }
}

variable "admin_token_version" {
  description = "Raise by one when the admin token changes."
  type        = number
  default     = 1
  validation {
    condition     = var.admin_token_version >= 1
    error_message = "Write a whole number, 1 or more."
  }
}

variable "mail" {
  description = "Who is told by mail; each must confirm."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for address in var.mail : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "Write mail addresses."
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

variable "retention_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 90
  validation {
    condition     = var.retention_days > 0
    error_message = "Write a number of days that CloudWatch Logs takes, such as 90."
  }
}

variable "first_in_account" {
  description = "Whether this makes what an account has once: GuardDuty, the recorder of AWS Config, Security Hub. False for a second environment in the same account."
  type        = bool
  default     = true
}

