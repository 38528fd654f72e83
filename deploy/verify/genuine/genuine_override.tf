# Leads staging to an AWS on loopback; Terraform lays this over the provider of environments/common/main.tf.

provider "aws" {
  access_key                  = "moto"
  secret_key                  = "moto"
  s3_force_path_style         = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  max_retries                 = 1
  endpoints {
    accessanalyzer         = var.endpoint
    applicationautoscaling = var.endpoint
    budgets                = var.endpoint
    cloudtrail             = var.endpoint
    cloudwatch             = var.endpoint
    cloudwatchevents       = var.endpoint
    cloudwatchlogs         = var.endpoint
    configservice          = var.endpoint
    ec2                    = var.endpoint
    ecs                    = var.endpoint
    elasticache            = var.endpoint
    elb                    = var.endpoint
    guardduty              = var.endpoint
    iam                    = var.endpoint
    kms                    = var.endpoint
    lambda                 = var.endpoint
    route53                = var.endpoint
    s3                     = var.endpoint
    secretsmanager         = var.endpoint
    securityhub            = var.endpoint
    servicediscovery       = var.endpoint
    shield                 = var.endpoint
    sns                    = var.endpoint
    sqs                    = var.endpoint
    ssm                    = var.endpoint
    sts                    = var.endpoint
    wafv2                  = var.endpoint
  }
}
