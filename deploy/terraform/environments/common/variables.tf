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

variable "ipv6" {
  description = "Whether clients may come by IPv6 too: load balancer, its subnets, AAAA records."
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

variable "operator_security_group_ids" {
  description = "Security groups of people on call that reach weir's admin address and the endpoints: docs/deploy.md, step 9. None: nobody does."
  type        = set(string)
  default     = []
  validation {
    condition     = length(var.operator_security_group_ids) <= 5 && alltrue([for id in var.operator_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "Write the ids of at most five security groups, such as sg-0123456789abcdef0."
  }
}

variable "reserved_capacity" {
  description = "Load balancer capacity units that stand ready all the time; 0 reserves none."
  type        = number
  default     = 0
  validation {
    condition     = var.reserved_capacity == 0 || (var.reserved_capacity >= 100 && var.reserved_capacity <= 1500)
    error_message = "Write 0, or 100 to 1500 units."
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

variable "architecture" {
  description = "Processor of the tasks, as the images were built."
  type        = string
  default     = "ARM64"
  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "Write ARM64 or X86_64."
  }
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

variable "store_node_type" {
  description = "Size of a node of the store."
  type        = string
  default     = "cache.t4g.small"
  validation {
    condition     = startswith(var.store_node_type, "cache.")
    error_message = "Write a node type of ElastiCache, such as cache.t4g.small."
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

variable "create_config_role" {
  description = "Whether to make AWS Config's service-linked role along with its recorder. False where AWS Config was ever used in the account: the role exists then."
  type        = bool
  default     = true
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
  description = "The service behind weir: image, port, size, tasks, environment, secrets (names to ARNs), user, and how weir finds it (dns, or service-connect for more than eight tasks)."
  type = object({
    image       = string
    port        = optional(number, 9000)
    cpu         = optional(number, 1024)
    memory      = optional(number, 2048)
    min_tasks   = optional(number, 2)
    max_tasks   = optional(number, 8)
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    user        = optional(string, "65532")
    discovery   = optional(string, "dns")
  })
}
