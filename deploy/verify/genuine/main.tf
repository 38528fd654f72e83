# What moto can hold of the architecture, out of the same modules, for an apply by the genuine (older) AWS provider.

variable "endpoint" {
  description = "Where moto listens."
  type        = string
}

variable "certificate_arn" {
  description = "A certificate that moto knows."
  type        = string
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "moto"
  secret_key                  = "moto"
  s3_force_path_style         = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  max_retries                 = 1
  endpoints {
    accessanalyzer         = var.endpoint
    applicationautoscaling = var.endpoint
    cloudtrail             = var.endpoint
    cloudwatch             = var.endpoint
    cloudwatchevents       = var.endpoint
    cloudwatchlogs         = var.endpoint
    configservice          = var.endpoint
    ec2                    = var.endpoint
    ecs                    = var.endpoint
    elb                    = var.endpoint
    guardduty              = var.endpoint
    iam                    = var.endpoint
    kms                    = var.endpoint
    lambda                 = var.endpoint
    route53                = var.endpoint
    s3                     = var.endpoint
    secretsmanager         = var.endpoint
    servicediscovery       = var.endpoint
    sns                    = var.endpoint
    sqs                    = var.endpoint
    ssm                    = var.endpoint
    sts                    = var.endpoint
    wafv2                  = var.endpoint
  }
}

locals {
  prefix = "weir-verify"
  image  = "123456789012.dkr.ecr.us-east-1.amazonaws.com/weir:0.7.0"
}

module "key" {
  source = "../modules/key"
  prefix = local.prefix
}

module "network" {
  source      = "../modules/network"
  prefix      = local.prefix
  kms_key_arn = module.key.arn
  zones       = ["us-east-1a", "us-east-1b", "us-east-1c"]
  test_cidrs  = ["192.0.2.0/24"]
}

module "load_balancer" {
  source            = "../modules/load-balancer"
  prefix            = local.prefix
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.public_subnet_ids
  security_group_id = module.network.security_group_ids["balancer"]
  certificate_arn   = var.certificate_arn
  protected         = false
}

module "waf" {
  source            = "../modules/waf"
  prefix            = local.prefix
  kms_key_arn       = module.key.arn
  load_balancer_arn = module.load_balancer.arn
}

module "guardduty" {
  source    = "../modules/guardduty"
  prefix    = local.prefix
  topic_arn = module.monitoring.topic_arn
}

module "config_source" {
  source      = "../modules/config-source"
  prefix      = local.prefix
  environment = "verify"
  kms_key_arn = module.key.arn
  config      = "[flood]\nenabled = true\n"
}

resource "aws_secretsmanager_secret" "admin" {
  name                    = "${local.prefix}/admin-token"
  recovery_window_in_days = 0
}

module "service" {
  source                    = "../modules/service"
  prefix                    = local.prefix
  kms_key_arn               = module.key.arn
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.private_subnet_ids
  weir_security_group_id    = module.network.security_group_ids["weir"]
  backend_security_group_id = module.network.security_group_ids["backend"]
  target_groups             = module.load_balancer.target_groups
  load_balancer_suffix      = module.load_balancer.arn_suffix
  weir                      = { image = local.image }
  backend                   = { image = local.image }
  config_source             = module.config_source.source
  repository_arns           = ["arn:aws:ecr:us-east-1:123456789012:repository/weir"]
  metric_environment        = "verify"
  secrets                   = { WEIR_ADMIN_TOKEN = aws_secretsmanager_secret.admin.arn }
  task_rights               = merge(module.waf.task_rights, module.guardduty.task_rights, module.config_source.task_rights)
}

module "monitoring" {
  source                = "../modules/monitoring"
  prefix                = local.prefix
  kms_key_arn           = module.key.arn
  region                = "us-east-1"
  environment           = "verify"
  alarms_file           = "${path.module}/../../alarms.json"
  load_balancer_suffix  = module.load_balancer.arn_suffix
  target_group_suffixes = { for colour, group in module.load_balancer.target_groups : colour => group.arn_suffix }
  cluster_name          = local.prefix
  service_names         = ["${local.prefix}-blue", "${local.prefix}-green", "${local.prefix}-backend"]
  web_acl_name          = module.waf.web_acl_name
  poison_queue          = module.guardduty.poison_queue_name
}

output "listener" {
  description = "Whose weights a rollout shifts."
  value       = module.load_balancer.listener_arn
}

output "target_groups" {
  description = "Blue and green."
  value       = module.load_balancer.target_groups
}

output "balancer" {
  description = "What the web ACL guards."
  value       = module.load_balancer.arn
}
