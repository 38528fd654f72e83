# Whether everything still is as it was promised: AWS Config records, and its rules judge.

# AWS's own role for the recorder. AWS Config uses no other by itself, and Security Hub's check Config.1 asks for this one.
resource "aws_iam_service_linked_role" "config" {
  count            = var.create_recorder && var.create_config_role ? 1 : 0
  aws_service_name = "config.amazonaws.com"
}

resource "aws_config_configuration_recorder" "this" {
  count    = var.create_recorder ? 1 : 0
  name     = var.prefix
  role_arn = "arn:${local.partition}:iam::${local.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
  depends_on = [aws_iam_service_linked_role.config]
}

resource "aws_config_delivery_channel" "this" {
  count          = var.create_recorder ? 1 : 0
  name           = var.prefix
  s3_bucket_name = aws_s3_bucket.audit.id
  s3_kms_key_arn = aws_kms_key.archive.arn
  depends_on     = [aws_config_configuration_recorder.this, aws_s3_bucket_policy.audit]
}

resource "aws_config_configuration_recorder_status" "this" {
  count      = var.create_recorder ? 1 : 0
  name       = aws_config_configuration_recorder.this[0].name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.this]
}

# The managed rules as one pack: one score, and each judged (and paid) once. The rules are called
# PREFIX-RULE-conformance-pack-ID, which the release gate finds by their beginning.
resource "aws_config_conformance_pack" "this" {
  name = var.prefix
  template_body = jsonencode({
    Resources = { for rule, about in var.managed_rules : join("", [for word in split("_", rule) : title(lower(word))]) => {
      Type = "AWS::Config::ConfigRule"
      Properties = merge(
        {
          ConfigRuleName = "${var.prefix}-${lower(replace(rule, "_", "-"))}"
          Description    = about.why
          Source         = { Owner = "AWS", SourceIdentifier = rule }
        },
        { for key, values in { InputParameters = about.parameters } : key => values if length(values) > 0 },
      )
    } }
  })
  depends_on = [aws_config_configuration_recorder_status.this]
}
