output "web_acl_arn" {
  description = "The web ACL."
  value       = aws_wafv2_web_acl.this.arn
}

output "web_acl_name" {
  description = "The web ACL in CloudWatch's dimensions."
  value       = aws_wafv2_web_acl.this.name
}

output "ipv4_sets" {
  description = "Names for waf.ipv4_sets of weir's config."
  value       = [for name, version in local.sets : name if version == "IPV4"]
}

output "ipv6_sets" {
  description = "Names for waf.ipv6_sets of weir's config."
  value       = [for name, version in local.sets : name if version == "IPV6"]
}

output "capacity" {
  description = "Capacity units (WCU) that the rules take, of 1,500."
  value       = local.capacity
}

output "task_rights" {
  description = "What weir may do here: for task_rights of module service."
  value = {
    WafSets = { actions = ["wafv2:GetIPSet", "wafv2:UpdateIPSet"], resources = [for set in aws_wafv2_ip_set.this : set.arn], condition = {} }
    # A list has no resource.
    WafList = { actions = ["wafv2:ListIPSets"], resources = ["*"], condition = {} }
  }
}
