# What the rules take of the 1,500 capacity units that a web ACL's price includes.

locals {
  # Capacity units (WCU) as AWS's documentation has them: 1 a set, 2 a rate rule, and what each managed group says.
  wcu = {
    AWSManagedRulesAntiDDoSRuleSet        = 50
    AWSManagedRulesAmazonIpReputationList = 25
    AWSManagedRulesAnonymousIpList        = 50
    AWSManagedRulesCommonRuleSet          = 700
    AWSManagedRulesAdminProtectionRuleSet = 100
    AWSManagedRulesKnownBadInputsRuleSet  = 200
    AWSManagedRulesSQLiRuleSet            = 200
    AWSManagedRulesLinuxRuleSet           = 200
    AWSManagedRulesUnixRuleSet            = 100
    AWSManagedRulesWindowsRuleSet         = 200
    AWSManagedRulesPHPRuleSet             = 100
    AWSManagedRulesWordPressRuleSet       = 100
  }
  capacity = (length(local.sets) + length(aws_wafv2_ip_set.allow) + 2
    + (var.anti_ddos == null ? 0 : local.wcu["AWSManagedRulesAntiDDoSRuleSet"])
  + sum([for one in var.managed : lookup(local.wcu, one.group, 0)]))
}
