variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
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

variable "weir_port" {
  description = "Where weir listens for requests."
  type        = number
  default     = 8080
  validation {
    condition     = var.weir_port >= 1 && var.weir_port <= 65535
    error_message = "Write a port, 1 to 65535."
  }
}

variable "admin_port" {
  description = "Where weir's admin address answers health checks."
  type        = number
  default     = 9901
  validation {
    condition     = var.admin_port >= 1 && var.admin_port <= 65535
    error_message = "Write a port, 1 to 65535."
  }
}

variable "test_port" {
  description = "The listener for tests of a release."
  type        = number
  default     = 8443
  validation {
    condition     = var.test_port >= 1 && var.test_port <= 65535
    error_message = "Write a port, 1 to 65535."
  }
}

variable "vpc_id" {
  description = "The VPC: output vpc_id of module network."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[0-9a-z]+$", var.vpc_id))
    error_message = "Write the id of a VPC, vpc-…."
  }
}

variable "subnet_ids" {
  description = "Public subnets, one a zone."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Write the ids of two subnets or more; a load balancer wants two zones."
  }
}

variable "security_group_id" {
  description = "The load balancer's security group."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[0-9a-z]+$", var.security_group_id))
    error_message = "Write the id of a security group, sg-…."
  }
}

variable "certificate_arn" {
  description = "The certificate of ACM that clients see."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.certificate_arn))
    error_message = "Write the ARN of a certificate in ACM, arn:aws:acm:REGION:ACCOUNT:certificate/ID, of the load balancer's Region."
  }
}

variable "tls_policy" {
  description = "Which TLS versions and ciphers clients may use."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
  validation {
    condition     = can(regex("^ELBSecurityPolicy-TLS13-1-[23]-", var.tls_policy)) && !strcontains(var.tls_policy, "-Ext")
    error_message = "Write a policy that begins with ELBSecurityPolicy-TLS13-1-2- or -1-3-, without Ext, such as ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09; others let TLS 1.0 or old ciphers in."
  }
}

variable "protected" {
  description = "Whether the load balancer and its logs are kept from deletion. True in production."
  type        = bool
  default     = true
}

variable "ipv6" {
  description = "Whether clients may come by IPv6 too; module network must give the public subnets IPv6."
  type        = bool
  default     = false
}

variable "waf_fail_open" {
  description = "Whether requests pass while AWS WAF does not answer. weir goes on filtering behind it."
  type        = bool
  default     = true
}

variable "reserved_capacity" {
  description = "Load balancer capacity units that stand ready all the time, and are paid for; 0 reserves none. A flood of 50,000 requests a second takes some 250."
  type        = number
  default     = 0
  validation {
    condition     = var.reserved_capacity == 0 || (var.reserved_capacity >= 100 && var.reserved_capacity <= 1500)
    error_message = "Write 0, or 100 to 1500 units; AWS reserves no fewer, and more only by a raised quota."
  }
}
