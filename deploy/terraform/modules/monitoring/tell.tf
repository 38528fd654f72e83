# Where people are told.

data "aws_caller_identity" "this" {}

resource "aws_sns_topic" "this" {
  name              = "${var.prefix}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AwsTells"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com"] }
        Action    = ["sns:Publish"]
        Resource  = aws_sns_topic.this.arn
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sns:Publish"]
        Resource  = aws_sns_topic.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Each must be confirmed by the one who gets the mail.
resource "aws_sns_topic_subscription" "mail" {
  for_each  = var.mail
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sns_topic_subscription" "webhook" {
  for_each               = var.webhooks
  topic_arn              = aws_sns_topic.this.arn
  protocol               = "https"
  endpoint               = each.key
  endpoint_auto_confirms = true
}
