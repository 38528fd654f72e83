# The web ACL in front of the load balancer. The order of its rules: 0 who is always let through, 10 weir's own sets,
# 100 anti-DDoS, 200 managed groups, 300 the wide net.
# No CAPTCHA and no challenge of its own: weir challenges newcomers by better evidence, and only in an attack.

resource "aws_wafv2_ip_set" "this" {
  for_each           = local.sets
  name               = each.key
  description        = "Bans of weir. weir writes here; what others add it leaves alone"
  scope              = "REGIONAL"
  ip_address_version = each.value
  addresses          = []
  # The addresses are weir's: an apply must not take a ban out.
  lifecycle {
    ignore_changes = [addresses]
  }
}

# Callers that no rule here may stop. weir's own limits still hold for them, unless its lists.allow names them too.
resource "aws_wafv2_ip_set" "allow" {
  for_each           = { for family, addresses in local.allow : family => addresses if length(addresses) > 0 }
  name               = "${var.prefix}-allow-${each.key}"
  description        = "Always let through by AWS WAF"
  scope              = "REGIONAL"
  ip_address_version = upper(each.key)
  addresses          = each.value
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.prefix
  description = "In front of weir"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  lifecycle {
    precondition {
      condition     = local.capacity <= 1500
      error_message = "The rules take ${local.capacity} capacity units (WCU) and 1,500 are included: leave out a managed group, or ask AWS for more and pay for it."
    }
  }

  dynamic "rule" {
    for_each = aws_wafv2_ip_set.allow
    content {
      name     = "allow-${rule.key}"
      priority = index(sort(keys(local.allow)), rule.key)
      action {
        allow {}
      }
      statement {
        ip_set_reference_statement {
          arn = rule.value.arn
        }
      }
      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "allow-${rule.key}"
        sampled_requests_enabled   = true
      }
    }
  }

  dynamic "rule" {
    for_each = local.set_rules
    content {
      name     = rule.key
      priority = rule.value.priority
      action {
        block {}
      }
      rule_label {
        name = local.labels.ban
      }
      statement {
        ip_set_reference_statement {
          arn = aws_wafv2_ip_set.this[rule.key].arn
        }
      }
      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  # AWS's own DDoS rules challenge what does not fit the baseline; weir does the same behind them, by other evidence.
  dynamic "rule" {
    for_each = var.anti_ddos == null ? [] : [var.anti_ddos]
    content {
      name     = "anti-ddos"
      priority = 100
      override_action {
        none {}
      }
      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = "AWSManagedRulesAntiDDoSRuleSet"
          managed_rule_group_configs {
            aws_managed_rules_anti_ddos_rule_set {
              sensitivity_to_block = rule.value.sensitivity
              client_side_action_config {
                challenge {
                  usage_of_action = rule.value.challenge ? "ENABLED" : "DISABLED"
                  dynamic "exempt_uri_regular_expression" {
                    for_each = rule.value.exempt
                    content {
                      regex_string = exempt_uri_regular_expression.value
                    }
                  }
                }
              }
            }
          }
        }
      }
      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "anti-ddos"
        sampled_requests_enabled   = true
      }
    }
  }

  dynamic "rule" {
    for_each = var.managed
    content {
      name     = rule.key
      priority = 200 + index(keys(var.managed), rule.key)
      override_action {
        dynamic "none" {
          for_each = rule.value.enforce ? [1] : []
          content {}
        }
        dynamic "count" {
          for_each = rule.value.enforce ? [] : [1]
          content {}
        }
      }
      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value.group
          dynamic "rule_action_override" {
            for_each = rule.value.count_only
            content {
              name = rule_action_override.value
              action_to_use {
                count {}
              }
            }
          }
        }
      }
      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  # Far above what weir lets one client do: it only spares weir the crudest floods, some half a minute after they begin.
  rule {
    name     = "rate"
    priority = 300
    action {
      block {}
    }
    rule_label {
      name = local.labels.rate
    }
    statement {
      rate_based_statement {
        aggregate_key_type    = "IP"
        limit                 = var.rate_limit
        evaluation_window_sec = 60
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.prefix
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = var.load_balancer_arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

locals {
  sets = merge(
    { for number in range(var.ipv4_sets) : "${var.prefix}-ipv4-${number}" => "IPV4" },
    { for number in range(var.ipv6_sets) : "${var.prefix}-ipv6-${number}" => "IPV6" },
  )
  set_rules = { for name, version in local.sets : name => { priority = 10 + index(sort(keys(local.sets)), name) } }
  allow = {
    ipv4 = [for cidr in var.allow : cidr if !strcontains(cidr, ":")]
    ipv6 = [for cidr in var.allow : cidr if strcontains(cidr, ":")]
  }
}
