# AWS's own checks over the whole account, and who outside it can reach what.

resource "aws_securityhub_account" "this" {
  count = var.create_hub ? 1 : 0
  # The standards are chosen below: by default an old version of CIS would be on as well.
  enable_default_standards  = false
  control_finding_generator = "SECURITY_CONTROL"
  auto_enable_controls      = true
}

resource "aws_securityhub_standards_subscription" "this" {
  for_each      = var.create_hub ? var.standards : []
  standards_arn = "arn:${local.partition}:securityhub:${local.region}::standards/${each.key}"
  depends_on    = [aws_securityhub_account.this]
}

# An account and Region has one of this kind at most, as of Security Hub.
resource "aws_accessanalyzer_analyzer" "this" {
  count         = var.create_hub ? 1 : 0
  analyzer_name = var.prefix
  type          = "ACCOUNT"
}
