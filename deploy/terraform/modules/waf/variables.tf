variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts what is stored: output arn of module key."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(kms|stub):", var.kms_key_arn))
    error_message = "Write the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "retention_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 90
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "Write a number of days that CloudWatch Logs takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400 or years up to 3653."
  }
}

variable "ipv4_sets" {
  description = "How many IP sets for IPv4, 10,000 networks each."
  type        = number
  default     = 2
  validation {
    condition     = var.ipv4_sets >= 1 && var.ipv4_sets <= 20 && floor(var.ipv4_sets) == var.ipv4_sets
    error_message = "Write 1 to 20 sets; a web ACL refers to 50 at most."
  }
}

variable "ipv6_sets" {
  description = "How many IP sets for IPv6, 10,000 networks each."
  type        = number
  default     = 1
  validation {
    condition     = var.ipv6_sets >= 1 && var.ipv6_sets <= 20 && floor(var.ipv6_sets) == var.ipv6_sets
    error_message = "Write 1 to 20 sets; a web ACL refers to 50 at most."
  }
}

variable "load_balancer_arn" {
  description = "What the web ACL protects: output arn of module load-balancer."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(elasticloadbalancing|stub):", var.load_balancer_arn))
    error_message = "Write the ARN of a load balancer, arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID."
  }
}

variable "allow" {
  description = "Networks that AWS WAF always lets through, such as monitoring or a partner behind one address. weir's limits still hold for them."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for cidr in var.allow : can(cidrhost(cidr, 0)) && try(tonumber(split("/", cidr)[1]), 0) >= (strcontains(cidr, ":") ? 24 : 8)])
    error_message = "Write networks with their length, such as 192.0.2.7/32 or 2001:db8::/48, none wider than /8 (IPv4) or /24 (IPv6)."
  }
}

variable "managed" {
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
  validation {
    condition     = alltrue([for one in var.managed : contains(keys(local.wcu), one.group)])
    error_message = "Write names of AWS's managed rule groups, such as AWSManagedRulesAnonymousIpList; capacity.tf has those that are known here, and what each takes."
  }
  validation {
    condition     = !contains([for one in var.managed : one.group], "AWSManagedRulesAntiDDoSRuleSet") && length(distinct([for one in var.managed : one.group])) == length(var.managed)
    error_message = "Write each group once, and AWSManagedRulesAntiDDoSRuleSet under anti_ddos."
  }
  validation {
    condition     = alltrue([for group in ["CommonRuleSet", "SQLiRuleSet", "AmazonIpReputationList"] : contains([for one in var.managed : one.group], "AWSManagedRules${group}")])
    error_message = "Keep the groups for common threats, SQL injection and reputation; set enforce = false where one should only count."
  }
}

variable "anti_ddos" {
  description = "AWS's DDoS rules: from which sensitivity it blocks, whether it challenges browsers, which URIs (regular expressions) it never challenges. Null: off. It costs a monthly fee and a fee a request."
  type = object({
    sensitivity = optional(string, "LOW")
    challenge   = optional(bool, true)
    exempt      = optional(list(string), ["\\/api\\/|\\.(acc|avi|css|gif|ico|jpe?g|js|json|mp[34]|ogg|otf|pdf|png|tiff?|ttf|webm|webp|woff2?|xml)$"])
  })
  default = {}
  validation {
    condition     = var.anti_ddos == null ? true : contains(["LOW", "MEDIUM", "HIGH"], var.anti_ddos.sensitivity)
    error_message = "Write sensitivity LOW, MEDIUM or HIGH."
  }
}

variable "rate_limit" {
  description = "Requests a minute of one address from which AWS WAF blocks it: well above weir's own limits."
  type        = number
  default     = 6000
  validation {
    condition     = var.rate_limit >= 600 && var.rate_limit <= 2000000000
    error_message = "Write 600 a minute or more; weir does the fine limiting."
  }
}

variable "log_all" {
  description = "Whether the log has every request that a rule blocked or counted: for the weeks in which groups only count. False leaves out what passed, and what weir's sets and the rate rule blocked, which in a flood is nearly all."
  type        = bool
  default     = false
}
