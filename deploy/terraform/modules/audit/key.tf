# A key of its own for the archive: what is locked for a year must be readable for a year, whatever becomes of the
# environment's key; and who may read logs of weir need not be able to read the account's record.

resource "aws_kms_key" "archive" {
  description             = "${var.prefix}: the record of the account"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Without this nobody could change the key any more. Who may use it is then a matter of IAM policies.
        Sid       = "AccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = ["kms:*"]
        Resource  = "*"
      },
      {
        Sid       = "Trails"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = ["kms:GenerateDataKey"]
        Resource  = "*"
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.accounts }
          StringLike   = { "kms:EncryptionContext:aws:cloudtrail:arn" = [for id in local.accounts : "arn:${local.partition}:cloudtrail:*:${id}:trail/*"] }
        }
      },
      {
        Sid       = "Look"
        Effect    = "Allow"
        Principal = { Service = "cloudtrail.amazonaws.com" }
        Action    = ["kms:DescribeKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.accounts } }
      },
      {
        Sid       = "Config"
        Effect    = "Allow"
        Principal = { Service = "config.amazonaws.com" }
        Action    = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.accounts } }
      },
    ]
  })
}

resource "aws_kms_alias" "archive" {
  name          = "alias/${var.prefix}-audit"
  target_key_id = aws_kms_key.archive.key_id
}
