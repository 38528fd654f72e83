variable "origin_capacity" {
  description = "What the backend bears: measure it, then write a little less."
  type        = string
  validation {
    condition     = can(regex("^[0-9]+/s$", var.origin_capacity))
    error_message = "Write requests a second, such as 500/s."
  }
}

variable "origin_health_path" {
  description = "A path of the backend that says 200 while it is well."
  type        = string
  default     = "/healthz"
  validation {
    condition     = startswith(var.origin_health_path, "/")
    error_message = "Write a path that begins with /."
  }
}

variable "limits" {
  description = "weir's limits by name: rate and burst of a client, refuse or observe, counted by task or fleet, and for which path and methods."
  type = map(object({
    rate   = string
    burst  = number
    action = optional(string, "observe")
    scope  = optional(string, "task")
    path   = optional(string)
    method = optional(list(string), ["GET", "POST"])
  }))
  default = { per-client = { rate = "10/s", burst = 100 } }
  validation {
    condition     = alltrue([for limit in var.limits : can(regex("^[0-9]+/[smhd]$", limit.rate)) && contains(["observe", "refuse", "close"], limit.action) && contains(["task", "fleet"], limit.scope)])
    error_message = "Write rates such as 10/s, 30/m or 100/h, an action observe, refuse or close, and a scope task or fleet."
  }
}

variable "config_kind" {
  description = "Where weir's config lies."
  type        = string
  default     = "ssm"
  validation {
    condition     = contains(["ssm", "appconfig"], var.config_kind)
    error_message = "Write ssm or appconfig."
  }
}

variable "log_addresses" {
  description = "How clients' addresses stand in weir's log: whole, truncated, or hashed with the address key."
  type        = string
  default     = "whole"
  validation {
    condition     = contains(["whole", "truncated", "hashed"], var.log_addresses)
    error_message = "Write whole, truncated or hashed."
  }
}

variable "aviatrix" {
  description = "Aviatrix gateways whose syslog weir hears: their networks, the port, and what a report leads to (observe, suspect, ban). Null: none. They need an address in front of the tasks: docs/aviatrix.md."
  type = object({
    sources = set(string)
    port    = optional(number, 5140)
    action  = optional(string, "observe")
  })
  default = null
  validation {
    condition     = var.aviatrix == null ? true : length(var.aviatrix.sources) > 0 && contains(["observe", "suspect", "ban"], var.aviatrix.action)
    error_message = "Write aviatrix.sources with at least one network, and aviatrix.action as observe, suspect or ban; or null."
  }
}

variable "more_config" {
  description = "More of weir's config, as TOML (docs/config.md has every key): keys of [listen] and of [origin], and tables that weir.toml.tftpl does not write, such as [ban] or [[alert]]."
  type = object({
    listen = optional(string, "")
    origin = optional(string, "")
    tables = optional(string, "")
  })
  default = {}
  validation {
    condition     = !can(regex("(?m)^\\s*\\[", "${var.more_config.listen}\n${var.more_config.origin}"))
    error_message = "Write keys alone under listen and origin, such as max_body_size = \"50MiB\"; tables belong under tables."
  }
  validation {
    condition     = !can(regex("(?m)^\\s*\\[(listen|admin|client|origin|origin.health|flood.challenge|log|waf|guardduty|fleet|cloudwatch|alerts|aviatrix)\\]", var.more_config.tables))
    error_message = "Write tables that weir.toml.tftpl does not write itself; a table that stands there twice is a fault."
  }
}
