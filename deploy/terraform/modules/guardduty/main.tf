# Findings of GuardDuty: to weir, which bans the attackers, and to people.

resource "aws_guardduty_detector" "this" {
  count                        = var.create_detector ? 1 : 0
  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

# Each is written down as on or off: a detector that is new turns some on by itself, and each costs.
resource "aws_guardduty_detector_feature" "this" {
  for_each    = var.create_detector ? local.features : []
  detector_id = aws_guardduty_detector.this[0].id
  name        = each.key
  status      = contains(var.features, each.key) ? "ENABLED" : "DISABLED"
  # Without its agent the feature sees nothing of Fargate: decision 33 says what the agent takes.
  dynamic "additional_configuration" {
    for_each = each.key == "RUNTIME_MONITORING" ? ["ECS_FARGATE_AGENT_MANAGEMENT"] : []
    content {
      name   = additional_configuration.value
      status = contains(var.features, each.key) ? "ENABLED" : "DISABLED"
    }
  }
}

locals {
  features = toset(["S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "RUNTIME_MONITORING"])
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

# What neither weir nor EventBridge could deliver ends here, where an alarm looks; only the findings' queue may send on.
resource "aws_sqs_queue_redrive_allow_policy" "poison" {
  queue_url            = aws_sqs_queue.poison.url
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.findings.arn] })
}

resource "aws_sqs_queue_policy" "poison" {
  queue_url = aws_sqs_queue.poison.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Undelivered"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = ["sqs:SendMessage"]
        Resource  = aws_sqs_queue.poison.arn
        Condition = { ArnEquals = { "aws:SourceArn" = [aws_cloudwatch_event_rule.block.arn, aws_cloudwatch_event_rule.tell.arn] } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sqs:*"]
        Resource  = aws_sqs_queue.poison.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# What people must see: everything grave, also that one of ours attacks others.
resource "aws_cloudwatch_event_rule" "tell" {
  name        = "${var.prefix}-findings-to-people"
  description = "Grave findings of GuardDuty"
  event_pattern = jsonencode({
    source      = ["aws.guardduty"]
    detail-type = ["GuardDuty Finding"]
    detail      = { severity = [{ numeric = [">=", var.tell_severity] }], service = { archived = [false] } }
  })
}

resource "aws_cloudwatch_event_target" "tell" {
  rule      = aws_cloudwatch_event_rule.tell.name
  target_id = "people"
  arn       = var.topic_arn
  # A mail that a person can read.
  input_transformer {
    input_paths = {
      account = "$.detail.accountId", id = "$.detail.id", region = "$.detail.region", severity = "$.detail.severity", title = "$.detail.title", type = "$.detail.type"
    }
    # Not by jsonencode, which writes < in another way.
    input_template = "\"GuardDuty, severity <severity>: <title> (<type>, account <account>, <region>). Finding <id>. docs/runbooks/attack.md says what to look at.\""
  }
  dead_letter_config {
    arn = aws_sqs_queue.poison.arn
  }
}
