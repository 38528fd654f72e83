variable "prefix" {
  description = "What every name begins with; the same as Prefix of deploy/stacksets/roles.yaml."
  type        = string
  default     = "weir"
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir."
  }
}

variable "repositories" {
  description = "Repositories of images to create in ECR; the pipeline may push to those that begin with the prefix."
  type        = set(string)
  default     = ["weir", "weir-backend"]
  validation {
    condition     = alltrue([for name in var.repositories : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", name))])
    error_message = "Write names of repositories in small letters, such as weir-backend."
  }
}

variable "builds_kept" {
  description = "Of how many builds each repository keeps the images, signatures and lists of parts."
  type        = number
  default     = 50
  validation {
    condition     = var.builds_kept >= 10 && var.builds_kept <= 1000 && floor(var.builds_kept) == var.builds_kept
    error_message = "Write a whole number of 10 to 1000: a rollback needs the images of the last releases."
  }
}
