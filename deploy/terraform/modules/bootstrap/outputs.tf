output "state_bucket" {
  description = "The bucket for terraform init -backend-config=\"bucket=…\" of the environments."
  value       = aws_s3_bucket.state.bucket
}

output "repositories" {
  description = "ARN and URL of each repository: for repository_arns and images of terraform.tfvars."
  value       = { for name, one in aws_ecr_repository.this : name => { arn = one.arn, url = one.repository_url } }
}
