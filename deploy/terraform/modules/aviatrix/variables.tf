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
}

variable "vpc_id" {
  description = "The VPC: output vpc_id of module network."
  type        = string
}

variable "region" {
  description = "The AWS Region."
  type        = string
}

variable "gateway_size" {
  description = "Size of the gateways."
  type        = string
  default     = "t3.small"
}

variable "gateway_subnet" {
  description = "A free network of the VPC for the filtering gateway, such as 10.20.240.0/28."
  type        = string
}

variable "spoke_subnet" {
  description = "The network of a public subnet for the spoke gateway."
  type        = string
}

variable "public_route_table_ids" {
  description = "Route tables of the public subnets that are filtered."
  type        = list(string)
  validation {
    condition     = length(var.public_route_table_ids) > 0
    error_message = "Write at least one route table."
  }
}

variable "syslog_index" {
  description = "Which of the Controller's ten syslog profiles weir gets."
  type        = number
  default     = 5
  validation {
    condition     = var.syslog_index >= 0 && var.syslog_index <= 8
    error_message = "Write 0 to 8; 9 is CoPilot's."
  }
}

variable "weir_syslog" {
  description = "Where weir listens for the gateways' lines."
  type        = object({ server = string, port = optional(number, 6514) })
}

variable "copilot_address" {
  description = "CoPilot's address, if its syslog profile is to be made here. Empty: it has made its own."
  type        = string
  default     = ""
}

variable "netflow" {
  description = "The collector of flows: CoPilot listens on 31283."
  type        = object({ server = string, port = optional(number, 31283) })
}

variable "alert_mail" {
  description = "Who is told by the Controller."
  type        = string
  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+$", var.alert_mail))
    error_message = "Write a mail address, such as oncall@example.com."
  }
}
