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

run "poison" {
  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.poison.redrive_allow_policy).sourceQueueArns == [aws_sqs_queue.findings.arn]
    error_message = "Only the findings' queue may send on to it."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.findings.redrive_policy).deadLetterTargetArn == aws_sqs_queue.poison.arn && aws_cloudwatch_event_target.tell.dead_letter_config[0].arn == aws_sqs_queue.poison.arn
    error_message = "Nothing gets lost without a word."
  }
  assert {
    condition     = alltrue([for policy in [aws_sqs_queue_policy.findings.policy, aws_sqs_queue_policy.poison.policy] : contains([for statement in jsondecode(policy).Statement : statement.Sid if statement.Effect == "Deny"], "TlsOnly")])
    error_message = "Nobody writes without TLS."
  }
}

run "people" {
  assert {
    condition     = strcontains(aws_cloudwatch_event_target.tell.input_transformer[0].input_template, "<severity>") && jsondecode(aws_cloudwatch_event_rule.tell.event_pattern).detail.severity == [{ numeric = [">=", 7] }]
    error_message = "People get a sentence, of grave findings."
  }
}

run "features" {
  variables {
    features = ["RUNTIME_MONITORING"]
  }
  assert {
    condition     = { for name, feature in aws_guardduty_detector_feature.this : name => feature.status if feature.status == "ENABLED" } == { RUNTIME_MONITORING = "ENABLED" } && length(aws_guardduty_detector_feature.this) == 6
    error_message = "What is not asked for is off, and written down so."
  }
  assert {
    condition     = [for one in aws_guardduty_detector_feature.this["RUNTIME_MONITORING"].additional_configuration : "${one.name} ${one.status}"] == ["ECS_FARGATE_AGENT_MANAGEMENT ENABLED"]
    error_message = "Runtime monitoring sees Fargate."
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

run "refuses_odd_tell_severity" {
  command = plan
  variables {
    tell_severity = 0
  }
  expect_failures = [var.tell_severity]
}

run "refuses_odd_topic" {
  command = plan
  variables {
    topic_arn = "alarms"
  }
  expect_failures = [var.topic_arn]
}

run "refuses_odd_prefix" {
  command = plan
  variables {
    prefix = "edge"
  }
  expect_failures = [var.prefix]
}
