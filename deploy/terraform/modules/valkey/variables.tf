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

variable "subnet_ids" {
  description = "Private subnets, one a zone."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Write the ids of two subnets or more, in different zones."
  }
}

variable "security_group_id" {
  description = "The store's security group: from weir alone."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[0-9a-z]+$", var.security_group_id))
    error_message = "Write the id of a security group, sg-…."
  }
}

variable "fleet_name" {
  description = "fleet.name of weir's config: who shares with whom."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.fleet_name))
    error_message = "Write letters, digits, dashes and underscores, such as production."
  }
}

variable "password" {
  description = "Password of user weir, 32 characters or more; it reaches neither state nor plan. Null where it is known already and password_version has not risen."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
  validation {
    condition     = var.password == null ? true : can(regex("^[A-Za-z0-9_.~-]{32,128}$", var.password))
    error_message = "Write a password of 32 to 128 letters, digits and _.~-, such as openssl rand -hex 32 makes."
  }
}

variable "password_version" {
  description = "Raise this by one when the password changes; Terraform cannot see that it did."
  type        = number
  default     = 1
  validation {
    condition     = var.password_version >= 1 && floor(var.password_version) == var.password_version
    error_message = "Write a whole number, 1 or more."
  }
}

variable "node_type" {
  description = "Size of a node."
  type        = string
  default     = "cache.t4g.small"
  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "Write a node type of ElastiCache, such as cache.t4g.small."
  }
}

variable "nodes" {
  description = "The primary and its replicas."
  type        = number
  default     = 2
  validation {
    condition     = var.nodes >= 2 && var.nodes <= 6
    error_message = "Write 2 to 6 nodes: without a replica a zone lost is the store lost."
  }
}

variable "engine_version" {
  description = "Version of Valkey."
  type        = string
  default     = "8.0"
  validation {
    condition     = can(regex("^8\\.[0-9]+$", var.engine_version))
    error_message = "Write a version 8 of Valkey, such as 8.0: the parameter group is of that family."
  }
}

variable "maintenance_window" {
  description = "When AWS may work on the nodes, in UTC."
  type        = string
  default     = "sun:03:00-sun:04:00"
  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):[0-9]{2}:[0-9]{2}-(mon|tue|wed|thu|fri|sat|sun):[0-9]{2}:[0-9]{2}$", var.maintenance_window))
    error_message = "Write a window such as sun:03:00-sun:04:00."
  }
}

variable "protected" {
  description = "Whether snapshots are kept and secrets can be called back. True in production."
  type        = bool
  default     = true
}
