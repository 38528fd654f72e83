output "gateway_name" {
  description = "The filtering gateway."
  value       = aviatrix_gateway.filter.gw_name
}

output "spoke_gateway_name" {
  description = "The spoke gateway."
  value       = aviatrix_spoke_gateway.this.gw_name
}

output "vpc_group" {
  description = "UUID of the SmartGroup of weir's VPC, for policies of your own."
  value       = aviatrix_smart_group.weir.uuid
}
