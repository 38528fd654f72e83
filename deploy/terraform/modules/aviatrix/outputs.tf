output "gateway_name" {
  description = "The filtering gateway."
  value       = aviatrix_gateway.filter.gw_name
}
