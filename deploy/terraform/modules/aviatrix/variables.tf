variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "account_name" {
  description = "The AWS account's name at the Controller."
  type        = string
  validation {
    condition     = var.account_name != ""
    error_message = "Write the name under which the Controller knows the AWS account."
  }
}

variable "vpc_id" {
  description = "The VPC: output vpc_id of module network."
  type        = string
  validation {
    condition     = !startswith(var.vpc_id, "arn:") && var.vpc_id != ""
    error_message = "Write the VPC's id, vpc-…."
  }
}

variable "vpc_cidr" {
  description = "The VPC's network, to which the fabric's rules apply."
  type        = string
  validation {
    condition     = can(cidrnetmask(var.vpc_cidr))
    error_message = "Write an IPv4 network, such as 10.20.0.0/16."
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

variable "gateway_size" {
  description = "Size of the gateways."
  type        = string
  default     = "t3.small"
  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9]+$", var.gateway_size))
    error_message = "Write an instance type, such as t3.small."
  }
}

variable "gateway_subnet" {
  description = "A free network of the VPC for the filtering gateway, such as 10.20.240.0/28."
  type        = string
  validation {
    condition     = can(cidrnetmask(var.gateway_subnet))
    error_message = "Write an IPv4 network, such as 10.20.240.0/28."
  }
}

variable "gateway_zone" {
  description = "The availability zone of the filtering gateway."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", var.gateway_zone))
    error_message = "Write an availability zone, such as eu-central-1a."
  }
}

variable "spoke_subnet" {
  description = "The network of a public subnet for the spoke gateway."
  type        = string
  validation {
    condition     = can(cidrnetmask(var.spoke_subnet))
    error_message = "Write an IPv4 network, such as 10.20.0.0/20."
  }
}

variable "spoke_ha_subnet" {
  description = "The network of a public subnet in another zone, for the spoke's second gateway. Null: one gateway alone."
  type        = string
  default     = null
  validation {
    condition     = var.spoke_ha_subnet == null || can(cidrnetmask(var.spoke_ha_subnet))
    error_message = "Write an IPv4 network, such as 10.20.16.0/20, or null."
  }
}

variable "public_route_table_ids" {
  description = "Route tables of the public subnets that are filtered."
  type        = list(string)
  validation {
    condition     = length(var.public_route_table_ids) > 0
    error_message = "Write at least one route table."
  }
}

variable "manage_guardduty" {
  description = "Whether to have the Controller read GuardDuty's findings of this account and Region; it has one such setting for each."
  type        = bool
  default     = true
}

variable "never_dropped" {
  description = "Addresses that a finding never has dropped: the load balancer's, those of your own networks."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for address in var.never_dropped : can(regex("^[0-9]{1,3}(\\.[0-9]{1,3}){3}$", address))])
    error_message = "Write IPv4 addresses without a length, such as 192.0.2.10."
  }
}

variable "transit_gateway" {
  description = "The transit gateway to which the spoke is attached. Empty: it is attached to none, and has no network domain."
  type        = string
  default     = ""
}

variable "connected_domains" {
  description = "Network domains that may reach weir's."
  type        = set(string)
  default     = []
  validation {
    condition     = length(var.connected_domains) == 0 || var.transit_gateway != ""
    error_message = "Set transit_gateway too: without it there is no domain to connect."
  }
}

variable "allowed_sources" {
  description = "Networks of the fabric that may reach weir's VPC, such as that of the operators."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for cidr in var.allowed_sources : can(cidrnetmask(cidr))])
    error_message = "Write IPv4 networks, such as 10.50.0.0/16."
  }
}

variable "allowed_ports" {
  description = "TCP ports that allowed_sources may reach."
  type        = set(number)
  default     = [443]
  validation {
    condition     = length(var.allowed_ports) > 0 && alltrue([for port in var.allowed_ports : port >= 1 && port <= 65535])
    error_message = "Write at least one port, 1 to 65535."
  }
}

variable "microsegmentation" {
  description = "off; watch: what the rules would drop is logged and passes; or enforce."
  type        = string
  default     = "watch"
  validation {
    condition     = contains(["off", "watch", "enforce"], var.microsegmentation)
    error_message = "Write off, watch or enforce; begin with watch."
  }
}

variable "offenders_group" {
  description = "UUID of the SmartGroup that weir keeps ([aviatrix.smartgroup] of its config). Null: no rule for it."
  type        = string
  default     = null
  validation {
    condition     = var.offenders_group == null || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.offenders_group))
    error_message = "Write the group's UUID, as weir status or CoPilot shows it."
  }
}

variable "attachment_point_id" {
  description = "Where the ruleset is attached. Null: TERRAFORM_BEFORE_UI_MANAGED, as the Controller tells its id."
  type        = string
  default     = null
  validation {
    condition     = var.attachment_point_id == null || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.attachment_point_id))
    error_message = "Write the attachment point's UUID, or null."
  }
}

variable "syslog_index" {
  description = "Which of the Controller's ten syslog profiles weir gets."
  type        = number
  default     = 5
  validation {
    condition     = var.syslog_index >= 0 && var.syslog_index <= 8 && floor(var.syslog_index) == var.syslog_index
    error_message = "Write 0 to 8; 9 is CoPilot's."
  }
}

variable "weir_syslog" {
  description = "Where weir listens for the gateways' lines ([aviatrix] listen of its config)."
  type        = object({ server = string, port = optional(number, 5140), protocol = optional(string, "TCP") })
  validation {
    condition     = var.weir_syslog.port >= 1 && var.weir_syslog.port <= 65535 && contains(["TCP", "UDP"], var.weir_syslog.protocol) && var.weir_syslog.server != ""
    error_message = "Write { server = ADDRESS, port = 1 to 65535, protocol = TCP or UDP }."
  }
}

variable "copilot_address" {
  description = "CoPilot's address, if its syslog profile is to be made here. Empty: it has made its own."
  type        = string
  default     = ""
  validation {
    condition     = var.copilot_address == "" || can(regex("^[0-9]{1,3}(\\.[0-9]{1,3}){3}$", var.copilot_address))
    error_message = "Write an IPv4 address, such as 192.0.2.20, or nothing."
  }
}

variable "netflow" {
  description = "The collector of flows: CoPilot listens on 31283."
  type        = object({ server = string, port = optional(number, 31283) })
  validation {
    condition     = var.netflow.port >= 1 && var.netflow.port <= 65535 && var.netflow.server != ""
    error_message = "Write { server = ADDRESS, port = 1 to 65535 }."
  }
}

variable "alert_mail" {
  description = "Who is told by the Controller. Empty: its setting stays as it is."
  type        = string
  default     = ""
  validation {
    condition     = var.alert_mail == "" || can(regex("^[^@ ]+@[^@ ]+$", var.alert_mail))
    error_message = "Write a mail address, such as oncall@example.com, or nothing."
  }
}
