# What operators do, as documents that anybody on call can start, that are logged, and that need no laptop set up.
# weir's own admin address stays inside the task; these work on what AWS holds: config, sets, services, weights.

locals {
  documents = { for name in fileset("${path.module}/documents", "*.yaml") : trimsuffix(name, ".yaml") => templatefile("${path.module}/documents/${name}", {
    prefix = var.prefix, cluster = var.cluster_name, role = aws_iam_role.operations.arn, parameter = var.config_parameter
  }) }
}

resource "aws_ssm_document" "this" {
  for_each        = local.documents
  name            = "${var.prefix}-${each.key}"
  document_type   = "Automation"
  document_format = "YAML"
  content         = each.value
}

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

resource "aws_iam_role" "operations" {
  name = "${var.prefix}-operations"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ssm.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "operations" {
  name = "operate"
  role = aws_iam_role.operations.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Sets", Effect = "Allow", Action = ["wafv2:GetIPSet", "wafv2:UpdateIPSet"], Resource = ["${local.arn["wafv2"]}:regional/ipset/${var.prefix}-*"] },
      { Sid = "Services", Effect = "Allow", Action = ["ecs:UpdateService", "ecs:DescribeServices"], Resource = ["${local.arn["ecs"]}:service/${var.cluster_name}/${var.prefix}-*"] },
      { Sid = "Config", Effect = "Allow", Action = ["ssm:GetParameter", "ssm:PutParameter", "ssm:GetParameterHistory"], Resource = ["${local.arn["ssm"]}:parameter/${var.prefix}/*"] },
    ]
  })
}

# Where patches and upgrades of AWS's own parts (the store) are allowed to happen, and the documents may be scheduled.
resource "aws_ssm_maintenance_window" "this" {
  name                       = var.prefix
  description                = "Quiet hours of ${var.prefix}"
  schedule                   = var.maintenance_schedule
  duration                   = 3
  cutoff                     = 1
  allow_unassociated_targets = false
}

# Fargate tasks are patched by starting them anew on the newest platform: weekly, in the window, one service at a time.
resource "aws_ssm_maintenance_window_task" "patch" {
  for_each         = var.patch_services
  name             = "${var.prefix}-patch-${each.key}"
  description      = "Starts the tasks of ${each.value} anew, so that they run on a patched platform"
  window_id        = aws_ssm_maintenance_window.this.id
  task_type        = "AUTOMATION"
  task_arn         = aws_ssm_document.this["drain"].arn
  service_role_arn = aws_iam_role.operations.arn
  priority         = 1
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

locals {
  arn = { for service in ["wafv2", "ecs", "ssm"] : service => "arn:${data.aws_partition.this.partition}:${service}:${data.aws_region.this.region}:${data.aws_caller_identity.this.account_id}" }
}
