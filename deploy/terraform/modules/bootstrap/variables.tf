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

variable "images_kept" {
  description = "How many images stay in each repository."
  type        = number
  default     = 100
  validation {
    condition     = var.images_kept >= 10 && floor(var.images_kept) == var.images_kept
    error_message = "Write a whole number of 10 or more: a rollback needs the images of the last releases."
  }
}
