# Whether everything still is as it was promised: AWS Config records, and its rules judge.

resource "aws_config_configuration_recorder" "this" {
  count    = var.create_recorder ? 1 : 0
  name     = var.prefix
  role_arn = "arn:${local.partition}:iam::${local.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_delivery_channel" "this" {
  count          = var.create_recorder ? 1 : 0
  name           = var.prefix
  s3_bucket_name = aws_s3_bucket.audit.id
  s3_kms_key_arn = var.kms_key_arn
  depends_on     = [aws_config_configuration_recorder.this, aws_s3_bucket_policy.audit]
}

resource "aws_config_configuration_recorder_status" "this" {
  count      = var.create_recorder ? 1 : 0
  name       = aws_config_configuration_recorder.this[0].name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.this]
}

resource "aws_config_config_rule" "managed" {
  for_each    = var.managed_rules
  name        = "${var.prefix}-${each.key}"
  description = each.value
  source {
    owner             = "AWS"
    source_identifier = upper(replace(each.key, "-", "_"))
  }
  depends_on = [aws_config_configuration_recorder.this]
}

# The same rules as one pack, whose score is one number for the pipeline's gate.
resource "aws_config_conformance_pack" "this" {
  name = var.prefix
  template_body = jsonencode({
    Resources = { for rule, why in var.managed_rules : join("", [for word in split("-", rule) : title(word)]) => {
      Type = "AWS::Config::ConfigRule"
      Properties = {
        ConfigRuleName = "${var.prefix}-pack-${rule}"
        Source         = { Owner = "AWS", SourceIdentifier = upper(replace(rule, "-", "_")) }
      }
    } }
  })
  depends_on = [aws_config_configuration_recorder.this]
}

resource "aws_securityhub_account" "this" {
  count                    = var.create_hub ? 1 : 0
  enable_default_standards = true
}

resource "aws_accessanalyzer_analyzer" "this" {
  analyzer_name = var.prefix
  type          = "ACCOUNT"
}
