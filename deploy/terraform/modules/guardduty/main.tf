# Findings of GuardDuty: to weir, which bans the attackers, and to people.

data "aws_caller_identity" "this" {}

resource "aws_guardduty_detector" "this" {
  count                        = var.create_detector ? 1 : 0
  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_guardduty_detector_feature" "this" {
  for_each    = var.create_detector ? var.features : []
  detector_id = aws_guardduty_detector.this[0].id
  name        = each.key
  status      = "ENABLED"
}

resource "aws_sqs_queue" "poison" {
  name                      = "${var.prefix}-findings-poison"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "findings" {
  name = "${var.prefix}-findings"
  # Above 30 s no message comes twice while weir works on it.
  visibility_timeout_seconds = 120
  message_retention_seconds  = 345600
  receive_wait_time_seconds  = 20
  # SQS's own key: EventBridge can then write without a right on ours.
  sqs_managed_sse_enabled = true
  redrive_policy          = jsonencode({ deadLetterTargetArn = aws_sqs_queue.poison.arn, maxReceiveCount = 5 })
}

# Who may write here may ban: EventBridge, for this one rule, and nobody else.
resource "aws_sqs_queue_policy" "findings" {
  queue_url = aws_sqs_queue.findings.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Rule"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["sqs:SendMessage"]
        Resource  = aws_sqs_queue.findings.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.block.arn } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sqs:*"]
        Resource  = aws_sqs_queue.findings.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# What weir can act on: something of ours was attacked.
resource "aws_cloudwatch_event_rule" "block" {
  name        = "${var.prefix}-findings-to-weir"
  description = "Attacks on us that GuardDuty found: weir bans who did them"
  event_pattern = jsonencode({
    source      = ["aws.guardduty"]
    detail-type = ["GuardDuty Finding"]
    detail = {
      severity = [{ numeric = [">=", var.block_severity] }]
      service  = { resourceRole = ["TARGET"], archived = [false] }
    }
  })
}

resource "aws_cloudwatch_event_target" "block" {
  rule      = aws_cloudwatch_event_rule.block.name
  target_id = "weir"
  arn       = aws_sqs_queue.findings.arn
  dead_letter_config {
    arn = aws_sqs_queue.poison.arn
  }
}

resource "aws_sqs_queue_policy" "poison" {
  queue_url = aws_sqs_queue.poison.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Undelivered"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = aws_sqs_queue.poison.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.block.arn } }
    }]
  })
}

# What people must see: everything grave, also that one of ours attacks others.
resource "aws_cloudwatch_event_rule" "tell" {
  name        = "${var.prefix}-findings-to-people"
  description = "Grave findings of GuardDuty"
  event_pattern = jsonencode({
    source      = ["aws.guardduty"]
    detail-type = ["GuardDuty Finding"]
    detail      = { severity = [{ numeric = [">=", var.tell_severity] }] }
  })
}

resource "aws_cloudwatch_event_target" "tell" {
  rule      = aws_cloudwatch_event_rule.tell.name
  target_id = "people"
  arn       = var.topic_arn
}
