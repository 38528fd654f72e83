output "protection_id" {
  description = "The load balancer's protection."
  value       = aws_shield_protection.balancer.id
}
