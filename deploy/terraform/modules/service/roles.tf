# Who may do what: ECS, to start tasks (execution), and weir itself (task). The backend needs no right, so it has no role.

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
  partition = data.aws_partition.this.partition
  account   = data.aws_caller_identity.this.account_id
  region    = data.aws_region.this.region
  # The secrets that each task is started with; nobody's are shared.
  secrets = { weir = distinct(values(var.secrets)), backend = distinct(values(var.backend.secrets)) }
}

resource "aws_iam_role" "execution" {
  for_each           = local.secrets
  name               = "${var.prefix}-${each.key}-execution"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "execution" {
  for_each = local.secrets
  name     = "start-tasks"
  role     = aws_iam_role.execution[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      # A token is the account's; it has no resource.
      { Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = "*" },
      { Effect = "Allow", Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"], Resource = var.repository_arns },
      { Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = [for name, group in aws_cloudwatch_log_group.this : "${group.arn}:*" if contains([each.key, "connect"], name)] },
      ], [for statement in [
        { Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = each.value },
        { Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.kms_key_arn], Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.${local.region}.amazonaws.com"] } } },
    ] : statement if length(each.value) > 0])
  })
}

resource "aws_iam_role" "weir" {
  name               = "${var.prefix}-weir-task"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "weir" {
  name = "weir"
  role = aws_iam_role.weir.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = var.metric_namespace } }
      },
      ], [for name, right in var.task_rights : merge(
        { Sid = name, Effect = "Allow", Action = right.actions, Resource = right.resources },
        length(right.condition) == 0 ? {} : { Condition = right.condition },
    )])
  })
}
