# weir's own promises, which no managed rule knows: the way to the backend leads through the web ACL and weir, and
# weir's bans are in force. A function looks at them once an hour.

resource "aws_lambda_function" "promises" {
  function_name    = "${var.prefix}-promises"
  description      = "Judges weir's own promises for AWS Config"
  role             = aws_iam_role.promises.arn
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "promises.handler"
  filename         = var.promises_zip
  source_code_hash = filebase64sha256(var.promises_zip)
  timeout          = 60
  memory_size      = 256
  kms_key_arn      = var.kms_key_arn
  environment {
    # AWS takes no empty variable.
    variables = { for name, text in {
      PREFIX      = var.prefix
      OPERATORS   = join(",", var.operator_security_group_ids)
      GATEWAYS    = var.gateways == null ? "" : join(",", var.gateways.networks)
      SYSLOG_PORT = var.gateways == null ? "" : tostring(var.gateways.port)
    } : name => text if text != "" }
  }
  tracing_config {
    mode = "PassThrough"
  }
}

resource "aws_cloudwatch_log_group" "promises" {
  name              = "/aws/lambda/${var.prefix}-promises"
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_permission" "promises" {
  statement_id   = "Config"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.promises.function_name
  principal      = "config.amazonaws.com"
  source_account = local.account
}

resource "aws_config_config_rule" "promises" {
  name        = "${var.prefix}-promises"
  description = "The web ACL guards and blocks, no way leads past weir, tasks are hardened and private, logs are kept and encrypted"
  source {
    owner             = "CUSTOM_LAMBDA"
    source_identifier = aws_lambda_function.promises.arn
    source_detail {
      event_source                = "aws.config"
      message_type                = "ScheduledNotification"
      maximum_execution_frequency = "One_Hour"
    }
  }
  depends_on = [aws_lambda_permission.promises, aws_config_configuration_recorder_status.this]
}

resource "aws_iam_role" "promises" {
  name = "${var.prefix}-promises"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "promises" {
  name = "look"
  role = aws_iam_role.promises.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Logs", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.promises.arn}:*"] },
      # Reading only; these calls have no resource to bind them to.
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "config:PutEvaluations", "ec2:DescribeSecurityGroups", "ecs:DescribeTaskDefinition",
          "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancerAttributes",
          "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeTargetGroups", "wafv2:ListIPSets",
        ]
        Resource = "*"
      },
      { Sid = "Groups", Effect = "Allow", Action = ["logs:DescribeLogGroups"], Resource = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:*"] },
      { Sid = "Services", Effect = "Allow", Action = ["ecs:DescribeServices"], Resource = ["arn:${local.partition}:ecs:${local.region}:${local.account}:service/${var.prefix}/*"] },
      {
        Sid    = "WebAcl"
        Effect = "Allow"
        Action = ["wafv2:GetWebACLForResource", "wafv2:GetWebACL", "wafv2:GetLoggingConfiguration"]
        Resource = [
          "arn:${local.partition}:wafv2:${local.region}:${local.account}:regional/webacl/${var.prefix}/*",
          "arn:${local.partition}:elasticloadbalancing:${local.region}:${local.account}:loadbalancer/app/${var.prefix}/*",
        ]
      },
    ]
  })
}
