variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "deletion_window_days" {
  description = "For how many days a deleted key can be called back."
  type        = number
  default     = 30
  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "Write 7 to 30 days; AWS takes nothing else."
  }
}
