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
  description = "Where weir's admin address answers the load balancer's health checks."
  type        = number
  default     = 9901
  validation {
    condition     = var.admin_port >= 1 && var.admin_port <= 65535
    error_message = "Write a port, 1 to 65535."
  }
}

variable "backend_port" {
  description = "Where the backend listens."
  type        = number
  default     = 9000
  validation {
    condition     = var.backend_port >= 1 && var.backend_port <= 65535
    error_message = "Write a port, 1 to 65535."
  }
}

variable "test_port" {
  description = "The load balancer's listener for tests of a release."
  type        = number
  default     = 8443
  validation {
    condition     = var.test_port >= 1 && var.test_port <= 65535
    error_message = "Write a port, 1 to 65535."
  }
}

variable "cidr" {
  description = "The VPC's network."
  type        = string
  default     = "10.20.0.0/16"
  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.cidr)[1]), 99) <= 20
    error_message = "Write an IPv4 network of /16 to /20, such as 10.20.0.0/16."
  }
}

variable "zones" {
  description = "The three availability zones."
  type        = list(string)
  validation {
    condition     = length(var.zones) == 3 && length(distinct(var.zones)) == 3
    error_message = "Write three different zones, such as [\"eu-central-1a\", \"eu-central-1b\", \"eu-central-1c\"]."
  }
}

variable "nat" {
  description = "Whether tasks reach the internet, by a NAT gateway a zone. The endpoints are enough for weir."
  type        = bool
  default     = false
}

variable "interface_endpoints" {
  description = "AWS services that tasks reach by private addresses."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "monitoring", "secretsmanager", "ssm", "sqs", "sns", "wafv2"]
  validation {
    condition     = alltrue([for name in var.interface_endpoints : can(regex("^[a-z0-9.-]+$", name))])
    error_message = "Write the last part of each endpoint's service name, such as ecr.api."
  }
  validation {
    condition     = var.nat || alltrue([for name in ["ecr.api", "ecr.dkr", "logs", "secretsmanager"] : contains(var.interface_endpoints, name)])
    error_message = "Keep ecr.api, ecr.dkr, logs and secretsmanager, or set nat = true: without them no task starts."
  }
}

variable "client_cidrs" {
  description = "IPv4 networks that clients come from."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr))])
    error_message = "Write IPv4 networks, such as 0.0.0.0/0 for everybody."
  }
}

variable "ipv6" {
  description = "Whether clients may come by IPv6 too. It ends at the load balancer; the same switch stands in modules load-balancer and dns."
  type        = bool
  default     = false
}

variable "client_ipv6_cidrs" {
  description = "IPv6 networks that clients come from, where ipv6 is on."
  type        = set(string)
  default     = ["::/0"]
  validation {
    condition     = alltrue([for cidr in var.client_ipv6_cidrs : can(cidrhost(cidr, 0)) && strcontains(cidr, ":")])
    error_message = "Write IPv6 networks, such as ::/0 for everybody."
  }
}

variable "syslog_cidrs" {
  description = "IPv4 networks of gateways whose syslog weir hears (aviatrix.sources of its config). None: the port is closed."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for cidr in var.syslog_cidrs : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "Write the IPv4 networks of the gateways; syslog has no sender that could be proved."
  }
}

variable "syslog_port" {
  description = "Where weir hears syslog (aviatrix.listen of its config), by UDP."
  type        = number
  default     = 5140
  validation {
    condition     = var.syslog_port >= 1024 && var.syslog_port <= 65535
    error_message = "Write a port, 1024 to 65535: weir is not root."
  }
}

variable "test_cidrs" {
  description = "IPv4 networks that tests of a release come from. None: the test listener is closed."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for cidr in var.test_cidrs : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "Write the IPv4 networks of your pipeline or office; the test listener is not for everybody."
  }
}

variable "operator_security_group_ids" {
  description = "Groups of people on call, such as that of their CloudShell in this VPC: they reach weir's admin address and the endpoints. None: nobody does."
  type        = set(string)
  default     = []
  validation {
    condition     = length(var.operator_security_group_ids) <= 5 && alltrue([for id in var.operator_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "Write the ids of at most five security groups, such as sg-0123456789abcdef0."
  }
}
