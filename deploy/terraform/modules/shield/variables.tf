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
}

variable "health_check_arn" {
  description = "The health check that tells whether traffic hurts: output health_check_arn of module dns."
  type        = string
}

variable "more_arns" {
  description = "Other resources of the same group, such as a CloudFront distribution."
  type        = list(string)
  default     = []
}

variable "automatic_response" {
  description = "What Shield's own rules do: COUNT or BLOCK."
  type        = string
  default     = "COUNT"
  validation {
    condition     = contains(["COUNT", "BLOCK"], var.automatic_response)
    error_message = "Write COUNT (look first) or BLOCK."
  }
}
