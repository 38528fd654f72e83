variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "zone_id" {
  description = "The hosted zone of Route 53."
  type        = string
  validation {
    condition     = can(regex("^Z[A-Z0-9]+$", var.zone_id))
    error_message = "Write the id of a hosted zone, such as Z0123456789ABC."
  }
}

variable "name" {
  description = "The name that clients use."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9*-]+\\.)+[a-z]{2,}$", var.name))
    error_message = "Write a full name in small letters, such as www.example.com."
  }
}

variable "health_path" {
  description = "What Route 53's health checkers ask for, through weir."
  type        = string
  default     = "/healthz"
  validation {
    condition     = startswith(var.health_path, "/")
    error_message = "Write a path that begins with /."
  }
}

variable "load_balancer_dns_name" {
  description = "Output dns_name of module load-balancer."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9.-]+$", var.load_balancer_dns_name))
    error_message = "Write the load balancer's own name, without https:// or a path, such as weir-1.eu-central-1.elb.amazonaws.com."
  }
}

variable "load_balancer_zone_id" {
  description = "Output zone_id of module load-balancer."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9-]+$", var.load_balancer_zone_id))
    error_message = "Write the id of the load balancer's hosted zone alone, without /hostedzone/, such as Z215JYRZR1TBD5."
  }
}

variable "ipv6" {
  description = "Whether the load balancer, and the second place, have IPv6: AAAA records."
  type        = bool
  default     = false
}

variable "secondary" {
  description = "Where clients go while this Region is not well: another Region's load balancer or a static page. Null: nowhere."
  type        = object({ dns_name = string, zone_id = string })
  default     = null
  validation {
    condition     = var.secondary == null ? true : can(regex("^Z[A-Z0-9]+$", var.secondary.zone_id)) && length(var.secondary.dns_name) > 0
    error_message = "Write secondary.dns_name and secondary.zone_id, the hosted zone of that name, such as Z0123456789ABC; or null."
  }
}
