# What each document may do: the calls of its steps, on this environment's things.

locals {
  # Where weir's config lies, and how the kill switch gets at it.
  source = var.config_appconfig != null ? merge({ parameter = "" }, var.config_appconfig) : {
    parameter = var.config_parameter, application = "", environment = "", profile = "", strategy = "", key = "", enforce = "", observe = ""
  }
  block_sets = coalesce(var.block_sets, { ipv4 = "${var.prefix}-ipv4-0", ipv6 = "${var.prefix}-ipv6-0" })
  sets = [
    # A list has no resource to bind it to.
    { Sid = "FindSet", Effect = "Allow", Action = ["wafv2:ListIPSets"], Resource = "*" },
    { Sid = "Sets", Effect = "Allow", Action = ["wafv2:GetIPSet", "wafv2:UpdateIPSet"], Resource = [for name in values(local.block_sets) : "${local.arn["wafv2"]}:regional/ipset/${name}/*"] },
  ]
  rights = {
    block   = local.sets
    unblock = local.sets
    replace = [{ Sid = "Services", Effect = "Allow", Action = ["ecs:UpdateService", "ecs:DescribeServices"], Resource = [local.services] }]
    drain = [
      { Sid = "Services", Effect = "Allow", Action = ["ecs:DescribeServices"], Resource = [local.services] },
      { Sid = "Tasks", Effect = "Allow", Action = ["ecs:DescribeTasks", "ecs:StopTask"], Resource = ["${local.arn["ecs"]}:task/${var.cluster_name}/*"] },
    ]
    scale = [
      { Sid = "Services", Effect = "Allow", Action = ["ecs:UpdateService", "ecs:DescribeServices"], Resource = [local.services] },
      # A list has no resource to bind it to.
      { Sid = "FindFloor", Effect = "Allow", Action = ["application-autoscaling:DescribeScalableTargets"], Resource = "*" },
      { Sid = "Floor", Effect = "Allow", Action = ["application-autoscaling:RegisterScalableTarget"], Resource = ["${local.arn["application-autoscaling"]}:scalable-target/*"], Condition = { StringEquals = { "application-autoscaling:service-namespace" = "ecs" } } },
    ]
  }
  # One or the other, as text, for their shapes differ.
  kill_switch = var.config_appconfig == null ? jsonencode([
    { Sid = "Config", Effect = "Allow", Action = ["ssm:GetParameter", "ssm:PutParameter", "ssm:LabelParameterVersion"], Resource = ["${local.arn["ssm"]}:parameter${var.config_parameter}"] },
    { Sid = "Observe", Effect = "Allow", Action = ["ssm:GetParameter"], Resource = ["${local.arn["ssm"]}:parameter${var.config_parameter}-observe"] },
    ]) : jsonencode([
    {
      Sid    = "Deploy"
      Effect = "Allow"
      Action = ["appconfig:StartDeployment", "appconfig:StopDeployment", "appconfig:ListDeployments"]
      Resource = concat(
        [for part in ["", "/environment/${local.source.environment}", "/environment/${local.source.environment}/deployment/*", "/configurationprofile/${local.source.profile}"] : "${local.arn["appconfig"]}:application/${local.source.application}${part}"],
        ["${local.arn["appconfig"]}:deploymentstrategy/${local.source.strategy}"],
      )
    },
    { Sid = "Key", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [local.source.key], Condition = { StringEquals = { "kms:ViaService" = "appconfig.${data.aws_region.this.region}.amazonaws.com" } } },
  ])
  policies = merge({ for name, statements in local.rights : name => jsonencode(statements) }, { kill-switch = local.kill_switch })
}
