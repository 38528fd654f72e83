# What operators do, as documents that anybody on call can start, that are logged, and that need no laptop set up.
# weir's own admin address stays inside the task; these work on what AWS holds: config, sets, services.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account  = data.aws_caller_identity.this.account_id
  arn      = { for service in ["wafv2", "ecs", "ssm", "appconfig", "application-autoscaling"] : service => "arn:${data.aws_partition.this.partition}:${service}:${data.aws_region.this.region}:${local.account}" }
  services = "${local.arn["ecs"]}:service/${var.cluster_name}/${var.prefix}-*"
  scripts  = { for file in fileset("${path.module}/scripts", "*.py") : trimsuffix(file, ".py") => file("${path.module}/scripts/${file}") }

  documents = { for name in keys(local.policies) : name => templatefile("${path.module}/documents/${name}.yaml", merge(local.scripts, {
    prefix = var.prefix, cluster = var.cluster_name, role = aws_iam_role.document[name].arn, sets = local.block_sets, source = local.source
  })) }
}

resource "aws_ssm_document" "this" {
  for_each        = local.documents
  name            = "${var.prefix}-${each.key}"
  document_type   = "Automation"
  document_format = "YAML"
  content         = each.value
}

# Each document has a role of its own: who may start `block` gets no hand on the services by it.
resource "aws_iam_role" "document" {
  for_each    = local.policies
  name        = "${var.prefix}-do-${each.key}"
  description = "What the document ${var.prefix}-${each.key} may do"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ssm.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "${local.arn["ssm"]}:automation-execution/*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "document" {
  for_each = local.policies
  name     = each.key
  role     = aws_iam_role.document[each.key].id
  policy   = jsonencode({ Version = "2012-10-17", Statement = jsondecode(each.value) })
}

# For people on call: to start these documents and see how they went, and nothing else. Attach it to their role.
resource "aws_iam_policy" "operator" {
  name        = "${var.prefix}-operator"
  description = "May start the documents of ${var.prefix}"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = ["ssm:StartAutomationExecution", "ssm:DescribeDocument", "ssm:GetDocument"]
        Resource = flatten([for name in keys(local.policies) : ["${local.arn["ssm"]}:automation-definition/${var.prefix}-${name}:*", "${local.arn["ssm"]}:document/${var.prefix}-${name}"]])
      },
      {
        Sid       = "Roles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [for role in aws_iam_role.document : role.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ssm.amazonaws.com" } }
      },
      {
        Sid      = "Watch"
        Effect   = "Allow"
        Action   = ["ssm:GetAutomationExecution", "ssm:StopAutomationExecution"]
        Resource = ["${local.arn["ssm"]}:automation-execution/*"]
      },
    ]
  })
}
