variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "load_balancer_arn" {
  description = "What is protected: output arn of module load-balancer."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(elasticloadbalancing|stub):", var.load_balancer_arn))
    error_message = "Write the ARN of a load balancer, arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID."
  }
}

variable "health_check_arn" {
  description = "The health check that tells whether traffic hurts: output health_check_arn of module dns."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(route53|stub):", var.health_check_arn))
    error_message = "Write the ARN of a health check of Route 53, arn:aws:route53:::healthcheck/ID."
  }
}

variable "more_arns" {
  description = "Other resources of the same group, such as a CloudFront distribution."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for arn in var.more_arns : startswith(arn, "arn:")])
    error_message = "Write ARNs of resources that Shield Advanced protects already."
  }
}

variable "automatic_response" {
  description = "What Shield's own rules in the web ACL do: COUNT or BLOCK. Null: there are none, as module waf has the anti-DDoS group."
  type        = string
  default     = null
  validation {
    condition     = var.automatic_response == null ? true : contains(["COUNT", "BLOCK"], var.automatic_response)
    error_message = "Write COUNT (look first), BLOCK, or null."
  }
}

variable "emergency_contacts" {
  description = "Whom AWS's response team calls by itself when the health check fails in an attack. None: it waits to be called. It wants Business or Enterprise Support."
  type        = list(object({ mail = string, phone = string, notes = optional(string) }))
  default     = []
  validation {
    condition     = length(var.emergency_contacts) <= 10 && alltrue([for one in var.emergency_contacts : can(regex("^[^@ ]+@[^@ ]+$", one.mail)) && can(regex("^\\+[1-9][0-9]{1,14}$", one.phone))])
    error_message = "Write at most ten contacts, each with mail and phone with the country's code, such as +4930123456."
  }
}

variable "response_team_access" {
  description = "Whether AWS's response team may change the web ACL and protections when it is asked for help."
  type        = bool
  default     = false
}
