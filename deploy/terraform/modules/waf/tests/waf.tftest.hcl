variables {
  prefix            = "weir-test"
  kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/weir-test/1"
}

provider "aws" {}

run "order" {
  assert {
    condition     = length(aws_wafv2_ip_set.this) == 3 && alltrue([for name in keys(aws_wafv2_ip_set.this) : startswith(name, "weir-test-ipv")])
    error_message = "Two sets for IPv4 and one for IPv6, called after the prefix."
  }
  assert {
    condition     = length([for rule in aws_wafv2_web_acl.this.rule : rule if rule.priority < 100]) == 3
    error_message = "weir's sets come first."
  }
  assert {
    condition     = length(distinct([for rule in aws_wafv2_web_acl.this.rule : rule.priority])) == length(aws_wafv2_web_acl.this.rule)
    error_message = "Each rule has a place of its own."
  }
  assert {
    condition     = startswith(aws_cloudwatch_log_group.this.name, "aws-waf-logs-")
    error_message = "AWS WAF writes to no other log group."
  }
}

run "without_ddos_rules" {
  variables {
    anti_ddos = null
  }
  assert {
    condition     = length([for rule in aws_wafv2_web_acl.this.rule : rule if rule.name == "anti-ddos"]) == 0
    error_message = "Null turns them off."
  }
}

run "refuses_no_sets" {
  command = plan
  variables {
    ipv4_sets = 0
  }
  expect_failures = [var.ipv4_sets]
}

run "refuses_low_rate" {
  command = plan
  variables {
    rate_limit = 100
  }
  expect_failures = [var.rate_limit]
}

run "refuses_without_sql" {
  command = plan
  variables {
    managed = { a = { group = "AWSManagedRulesCommonRuleSet" } }
  }
  expect_failures = [var.managed]
}

run "refuses_odd_sensitivity" {
  command = plan
  variables {
    anti_ddos = { sensitivity = "SOME" }
  }
  expect_failures = [var.anti_ddos]
}
