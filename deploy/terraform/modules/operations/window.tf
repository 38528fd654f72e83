# Fargate's tasks are patched by starting them anew on the newest revision of their platform: weekly, in the quiet hours.

resource "aws_ssm_maintenance_window" "this" {
  name                       = var.prefix
  description                = "Quiet hours of ${var.prefix}"
  schedule                   = var.maintenance_schedule
  schedule_timezone          = var.maintenance_timezone
  duration                   = 3
  cutoff                     = 1
  allow_unassociated_targets = false
}

# One after the other: what has another priority begins once the one before has ended, so weir and the backend behind it
# are never replaced at once. A service without tasks has nothing to replace.
resource "aws_ssm_maintenance_window_task" "replace" {
  for_each         = var.patch_services
  name             = "${var.prefix}-patch-${each.key}"
  description      = "Starts the tasks of ${each.value} anew, so that they run on a patched platform"
  window_id        = aws_ssm_maintenance_window.this.id
  task_type        = "AUTOMATION"
  task_arn         = aws_ssm_document.this["replace"].name
  service_role_arn = aws_iam_role.window.arn
  priority         = 1 + index(keys(var.patch_services), each.key)
  task_invocation_parameters {
    automation_parameters {
      document_version = "$DEFAULT"
      parameter {
        name   = "Service"
        values = [each.value]
      }
    }
  }
}

resource "aws_iam_role" "window" {
  name        = "${var.prefix}-window"
  description = "Starts the document ${var.prefix}-replace in the maintenance window"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ssm.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "window" {
  name = "start"
  role = aws_iam_role.window.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Start", Effect = "Allow", Action = ["ssm:StartAutomationExecution"], Resource = ["${local.arn["ssm"]}:automation-definition/${var.prefix}-replace:*"] },
      { Sid = "Watch", Effect = "Allow", Action = ["ssm:GetAutomationExecution"], Resource = ["${local.arn["ssm"]}:automation-execution/*"] },
      { Sid = "Role", Effect = "Allow", Action = ["iam:PassRole"], Resource = [aws_iam_role.document["replace"].arn], Condition = { StringEquals = { "iam:PassedToService" = "ssm.amazonaws.com" } } },
    ]
  })
}
