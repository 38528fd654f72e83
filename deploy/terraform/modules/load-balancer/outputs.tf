output "arn" {
  description = "ARN of the load balancer: what the web ACL and Shield protect."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "The load balancer in CloudWatch's dimensions."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "Where clients are sent."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "The hosted zone of dns_name."
  value       = aws_lb.this.zone_id
}

output "listener_arn" {
  description = "The listener whose weights a rollout shifts."
  value       = aws_lb_listener.https.arn
}

output "test_listener_arn" {
  description = "The listener for tests of a release."
  value       = aws_lb_listener.test.arn
}

output "target_groups" {
  description = "ARN and CloudWatch suffix of blue and green."
  value       = { for colour, group in aws_lb_target_group.this : colour => { arn = group.arn, arn_suffix = group.arn_suffix } }
}
