# The function that holds a config against weir's schema before AppConfig takes it.

resource "aws_lambda_function" "validator" {
  count            = local.appconfig
  function_name    = "${var.prefix}-config-validator"
  description      = "Refuses a config of weir that does not fit its schema"
  role             = aws_iam_role.validator[0].arn
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "validator.handler"
  filename         = var.validator_zip
  source_code_hash = filebase64sha256(var.validator_zip)
  timeout          = 15
  memory_size      = 256
  kms_key_arn      = var.kms_key_arn
  tracing_config {
    mode = "PassThrough"
  }
}

resource "aws_lambda_permission" "validator" {
  count          = local.appconfig
  statement_id   = "AppConfig"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.validator[0].function_name
  principal      = "appconfig.amazonaws.com"
  source_account = data.aws_caller_identity.this.account_id
}

resource "aws_cloudwatch_log_group" "validator" {
  count             = local.appconfig
  name              = "/aws/lambda/${var.prefix}-config-validator"
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_iam_role" "validator" {
  count = local.appconfig
  name  = "${var.prefix}-config-validator"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "validator" {
  count = local.appconfig
  name  = "write-logs"
  role  = aws_iam_role.validator[0].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.validator[0].arn}:*"] }]
  })
}
