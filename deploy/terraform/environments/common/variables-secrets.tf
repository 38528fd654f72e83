variable "admin_token" {
  description = "Token of weir's admin address. Pass it as TF_VAR_admin_token; null where it is in AWS already."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
  validation {
    condition     = var.admin_token == null ? true : can(regex("^[A-Za-z0-9_.~-]{32,128}$", var.admin_token))
    error_message = "Write 32 to 128 letters, digits and _.~-, such as openssl rand -hex 32 makes."
  }
}

variable "store_password" {
  description = "Password of the store's user. Pass it as TF_VAR_store_password; null where it is in AWS already."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
  validation {
    condition     = var.store_password == null ? true : can(regex("^[A-Za-z0-9_.~-]{32,128}$", var.store_password))
    error_message = "Write 32 to 128 letters, digits and _.~-, such as openssl rand -hex 32 makes."
  }
}

variable "challenge_secret" {
  description = "What challenge cookies are signed with. Pass it as TF_VAR_challenge_secret; null where it is in AWS already."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
  validation {
    condition     = var.challenge_secret == null ? true : can(regex("^[A-Za-z0-9_.~-]{32,128}$", var.challenge_secret))
    error_message = "Write 32 to 128 letters, digits and _.~-, such as openssl rand -hex 32 makes."
  }
}

variable "address_key" {
  description = "What hashed addresses are made with. Pass it as TF_VAR_address_key; null where it is in AWS already."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
  validation {
    condition     = var.address_key == null ? true : can(regex("^[A-Za-z0-9_.~-]{32,128}$", var.address_key))
    error_message = "Write 32 to 128 letters, digits and _.~-, such as openssl rand -hex 32 makes."
  }
}

variable "secret_versions" {
  description = "Raise a secret's number by one when it changes; Terraform can't see that it did."
  type = object({
    admin_token      = optional(number, 1)
    store_password   = optional(number, 1)
    challenge_secret = optional(number, 1)
    address_key      = optional(number, 1)
  })
  default = {}
  validation {
    condition     = alltrue([for number in values(var.secret_versions) : number >= 1 && floor(number) == number])
    error_message = "Write whole numbers, 1 or more."
  }
}
