output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "The VPC's network."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer, in the order of the zones."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "public_subnet_cidrs" {
  description = "Networks of the load balancer: what weir writes under client.trusted_proxies."
  value       = [for zone in var.zones : aws_subnet.public[zone].cidr_block]
}

output "private_subnet_ids" {
  description = "Subnets of tasks and of the store, in the order of the zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "security_group_ids" {
  description = "Groups by name: balancer, weir, backend, store, endpoints."
  value       = { for name, group in aws_security_group.this : name => group.id }
}
