output "conformance_pack" {
  description = "The pack whose score the pipeline's gate looks at."
  value       = aws_config_conformance_pack.this.name
}

output "promises_rule" {
  description = "The rule for weir's own promises."
  value       = aws_config_config_rule.promises.name
}

output "bucket" {
  description = "Where the trail and AWS Config write."
  value       = aws_s3_bucket.audit.id
}

output "key_arn" {
  description = "The key of the bucket: LogKeyArn of the StackSets."
  value       = aws_kms_key.archive.arn
}
