variables {
  prefix    = "weir-test"
  topic_arn = "arn:aws:sns:eu-central-1:123456789012:weir-test-alarms"
}

provider "aws" {}

run "one_writer" {
  assert {
    condition     = [for statement in jsondecode(aws_sqs_queue_policy.findings.policy).Statement : statement.Condition.ArnEquals["aws:SourceArn"] if statement.Effect == "Allow"] == [aws_cloudwatch_event_rule.block.arn]
    error_message = "Who may write to the queue may ban: only the rule."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.block.event_pattern).detail.service.resourceRole == ["TARGET"]
    error_message = "Only what was done to us bans somebody."
  }
  assert {
    condition     = aws_sqs_queue.findings.visibility_timeout_seconds > 30
    error_message = "No message may come twice while weir works on it."
  }
}

run "detector_of_the_organisation" {
  variables {
    create_detector = false
  }
  assert {
    condition     = length(aws_guardduty_detector.this) == 0 && length(aws_guardduty_detector_feature.this) == 0
    error_message = "An account has one detector at most."
  }
}

run "refuses_severity" {
  command = plan
  variables {
    block_severity = 11
  }
  expect_failures = [var.block_severity]
}

run "refuses_odd_feature" {
  command = plan
  variables {
    features = ["EVERYTHING"]
  }
  expect_failures = [var.features]
}
