output "health_check_arn" {
  description = "The health check: for module shield."
  value       = aws_route53_health_check.this.arn
}

output "health_check_id" {
  description = "The health check."
  value       = aws_route53_health_check.this.id
}
