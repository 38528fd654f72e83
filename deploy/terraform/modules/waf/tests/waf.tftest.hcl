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
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(rule.action[0].block) == 1 if rule.priority < 100]) && length([for rule in aws_wafv2_web_acl.this.rule : rule if rule.priority < 100]) == 3
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
  assert {
    # Three sets, the rate rule, anti-DDoS, reputation, common, known bad, SQL injection.
    condition     = output.capacity == 3 + 2 + 50 + 25 + 700 + 200 + 200 && output.capacity <= 1500
    error_message = "The rules must fit into what a web ACL's price includes: ${output.capacity} WCU."
  }
  assert {
    condition     = toset([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field.single_header[0].name]) == toset(["authorization", "cookie"])
    error_message = "The log has no credentials."
  }
  assert {
    condition     = [for one in aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].filter : one.behavior] == ["DROP"] && aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].default_behavior == "KEEP"
    error_message = "One filter, since Terraform keeps no order among them: what it names is left out, the rest is logged."
  }
  assert {
    condition     = toset(flatten([for one in aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].filter : [for condition in one.condition : [for label in condition.label_name_condition : label.label_name]]])) == toset(["awswaf:123456789012:webacl:weir-test:weir:ban", "awswaf:123456789012:webacl:weir-test:weir:rate"])
    error_message = "A flood that weir's sets and the rate rule block writes no lines."
  }
  assert {
    condition     = toset(flatten([for one in aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].filter : [for condition in one.condition : [for action in condition.action_condition : action.action]]])) == toset(["ALLOW"])
    error_message = "What merely passed is logged by the load balancer and by weir."
  }
  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => one(rule.rule_label).name if length(rule.rule_label) > 0 } == { weir-test-ipv4-0 = "weir:ban", weir-test-ipv4-1 = "weir:ban", weir-test-ipv6-0 = "weir:ban", rate = "weir:rate" }
    error_message = "Only weir's sets and the rate rule have labels: what groups block stays in the log."
  }
  assert {
    condition     = join(" ", concat(output.ipv4_sets, output.ipv6_sets)) == "weir-test-ipv4-0 weir-test-ipv4-1 weir-test-ipv6-0"
    error_message = "weir's config is told all of its sets."
  }
  assert {
    condition     = toset(output.task_rights.WafSets.resources) == toset([for set in aws_wafv2_ip_set.this : set.arn])
    error_message = "weir may write into its own sets, and into no other."
  }
}

run "logs_all_while_groups_are_tried" {
  variables {
    log_all = true
  }
  assert {
    condition     = [for one in aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].filter : one.behavior] == ["KEEP"] && aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].default_behavior == "DROP"
    error_message = "What a rule blocked or counted is logged, what merely passed is not."
  }
  assert {
    condition     = length(flatten([for one in aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].filter : [for condition in one.condition : condition.label_name_condition]])) == 0 && contains(flatten([for one in aws_wafv2_web_acl_logging_configuration.this.logging_filter[0].filter : [for condition in one.condition : [for action in condition.action_condition : action.action]]]), "COUNT")
    error_message = "Bans and counts are logged too."
  }
}

run "lets_partners_through" {
  variables {
    allow = ["192.0.2.7/32", "2001:db8:1::/48"]
  }
  assert {
    condition     = sort([for rule in aws_wafv2_web_acl.this.rule : rule.name if rule.priority < 10]) == tolist(["allow-ipv4", "allow-ipv6"])
    error_message = "They come first."
  }
  assert {
    condition     = !anytrue([for arn in output.task_rights.WafSets.resources : contains([for set in aws_wafv2_ip_set.allow : set.arn], arn)])
    error_message = "weir may not write who is let through."
  }
}

run "anonymous_only_counts" {
  variables {
    managed = {
      "1-reputation" = { group = "AWSManagedRulesAmazonIpReputationList" }
      "2-anonymous"  = { group = "AWSManagedRulesAnonymousIpList", enforce = false }
      "3-common"     = { group = "AWSManagedRulesCommonRuleSet" }
      "4-sql"        = { group = "AWSManagedRulesSQLiRuleSet", count_only = ["SQLi_BODY"] }
    }
  }
  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : length(rule.override_action[0].count) if rule.name == "2-anonymous"] == [1]
    error_message = "enforce = false only counts."
  }
  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].managed_rule_group_statement[0].rule_action_override[0].name if rule.name == "4-sql"] == ["SQLi_BODY"]
    error_message = "count_only names rules that only count."
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
    managed = { a = { group = "AWSManagedRulesCommonRuleSet" }, b = { group = "AWSManagedRulesAmazonIpReputationList" } }
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

run "refuses_too_many_rules" {
  command = plan
  variables {
    managed = {
      "1" = { group = "AWSManagedRulesAmazonIpReputationList" }
      "2" = { group = "AWSManagedRulesCommonRuleSet" }
      "3" = { group = "AWSManagedRulesKnownBadInputsRuleSet" }
      "4" = { group = "AWSManagedRulesSQLiRuleSet" }
      "5" = { group = "AWSManagedRulesLinuxRuleSet" }
      "6" = { group = "AWSManagedRulesWindowsRuleSet" }
    }
  }
  expect_failures = [aws_wafv2_web_acl.this]
}

run "refuses_unknown_group" {
  command = plan
  variables {
    managed = {
      "1" = { group = "AWSManagedRulesAmazonIpReputationList" }
      "2" = { group = "AWSManagedRulesCommonRuleSet" }
      "3" = { group = "AWSManagedRulesSQLiRuleSet" }
      "4" = { group = "AWSManagedRulesSqlRuleSet" }
    }
  }
  expect_failures = [var.managed]
}

run "refuses_to_allow_everybody" {
  command = plan
  variables {
    allow = ["0.0.0.0/0"]
  }
  expect_failures = [var.allow]
}

run "refuses_odd_values" {
  command = plan
  variables {
    prefix            = "waf"
    kms_key_arn       = "key"
    retention_days    = 91
    ipv6_sets         = 21
    load_balancer_arn = "weir"
  }
  expect_failures = [var.prefix, var.kms_key_arn, var.retention_days, var.ipv6_sets, var.load_balancer_arn]
}
