variable "waf_managed" {
  description = "Managed rule groups of AWS: whether each blocks or only counts, and which of its rules only count."
  type = map(object({
    group      = string
    enforce    = optional(bool, true)
    count_only = optional(set(string), [])
  }))
  default = {
    "1-reputation" = { group = "AWSManagedRulesAmazonIpReputationList" }
    "2-common"     = { group = "AWSManagedRulesCommonRuleSet", count_only = ["SizeRestrictions_BODY"] }
    "3-known-bad"  = { group = "AWSManagedRulesKnownBadInputsRuleSet" }
    "4-sql"        = { group = "AWSManagedRulesSQLiRuleSet" }
  }
}

variable "waf_anti_ddos" {
  description = "AWS's DDoS rules; null turns them off."
  type = object({
    sensitivity = optional(string, "LOW")
    challenge   = optional(bool, true)
    exempt      = optional(list(string), ["\\/api\\/|\\.(acc|avi|css|gif|ico|jpe?g|js|json|mp[34]|ogg|otf|pdf|png|tiff?|ttf|webm|webp|woff2?|xml)$"])
  })
  default = {}
}

variable "waf_rate_limit" {
  description = "Requests a minute of one address from which AWS WAF blocks it."
  type        = number
  default     = 6000
  validation {
    condition     = var.waf_rate_limit >= 600
    error_message = "Write 600 a minute or more; weir does the fine limiting."
  }
}

variable "waf_allow" {
  description = "Networks that AWS WAF always lets through, such as monitoring. weir's limits still hold for them."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for cidr in var.waf_allow : can(cidrhost(cidr, 0))])
    error_message = "Write networks with their length, such as 192.0.2.7/32."
  }
}

variable "waf_log_all" {
  description = "Whether AWS WAF's log has every request that a rule blocked or counted: for the weeks in which groups only count. False leaves out what passed, and what weir's sets and the rate rule blocked, which in a flood is nearly all."
  type        = bool
  default     = false
}

variable "waf_fail_open" {
  description = "Whether requests pass while AWS WAF does not answer; weir goes on filtering behind it."
  type        = bool
  default     = true
}

variable "shield_advanced" {
  description = "Whether Shield Advanced protects the load balancer. It binds the organisation for a year."
  type        = bool
  default     = false
  validation {
    condition     = !var.shield_advanced || var.dns != null
    error_message = "Set dns too: Shield's detection needs its health check."
  }
}

variable "shield_contacts" {
  description = "With Shield Advanced: whom AWS's response team calls by itself. Naming somebody also lets the team change the web ACL in an attack."
  type        = list(object({ mail = string, phone = string, notes = optional(string) }))
  default     = []
  validation {
    condition     = alltrue([for one in var.shield_contacts : can(regex("^\\+[1-9][0-9]{1,14}$", one.phone))])
    error_message = "Write phone numbers with the country's code, such as +4930123456."
  }
}
