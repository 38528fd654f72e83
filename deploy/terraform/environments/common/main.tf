# The whole architecture of one environment. staging/ and production/ link to this file: what runs in one runs in both.

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags {
    tags = { Project = var.prefix, Environment = var.environment, ManagedBy = "terraform" }
  }
}

module "key" {
  source = "../../modules/key"
  prefix = var.prefix
}

module "network" {
  source         = "../../modules/network"
  prefix         = var.prefix
  kms_key_arn    = module.key.arn
  retention_days = var.retention_days
  cidr           = var.cidr
  zones          = var.zones
  nat            = var.nat
  client_cidrs   = var.client_cidrs
  test_cidrs     = var.test_cidrs
  backend_port   = var.backend.port
}

module "load_balancer" {
  source            = "../../modules/load-balancer"
  prefix            = var.prefix
  retention_days    = var.retention_days
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.public_subnet_ids
  security_group_id = module.network.security_group_ids["balancer"]
  certificate_arn   = var.certificate_arn
  protected         = var.protected
}

module "waf" {
  source            = "../../modules/waf"
  prefix            = var.prefix
  kms_key_arn       = module.key.arn
  retention_days    = var.retention_days
  load_balancer_arn = module.load_balancer.arn
  managed           = var.waf_managed
  anti_ddos         = var.waf_anti_ddos
  rate_limit        = var.waf_rate_limit
}

module "valkey" {
  source            = "../../modules/valkey"
  prefix            = var.prefix
  kms_key_arn       = module.key.arn
  retention_days    = var.retention_days
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.network.security_group_ids["store"]
  fleet_name        = var.environment
  node_type         = var.store_node_type
  password          = var.store_password
  password_version  = var.store_password_version
  protected         = var.protected
}

module "guardduty" {
  source          = "../../modules/guardduty"
  prefix          = var.prefix
  create_detector = var.first_in_account
  topic_arn       = module.monitoring.topic_arn
}

module "config_source" {
  source         = "../../modules/config-source"
  prefix         = var.prefix
  environment    = var.environment
  kms_key_arn    = module.key.arn
  retention_days = var.retention_days
  kind           = var.config_kind
  alarm_arns     = var.config_kind == "appconfig" ? [module.monitoring.rollback_alarm_arn] : []
  validator_zip  = "${path.module}/../../build/validator.zip"
  config = templatefile("${path.module}/weir.toml.tftpl", {
    environment  = var.environment
    balancer     = module.network.public_subnet_cidrs
    backend_port = var.backend.port
    capacity     = var.origin_capacity
    health_path  = var.origin_health_path
    waf          = { ipv4 = module.waf.ipv4_sets, ipv6 = module.waf.ipv6_sets }
    queues       = { findings = module.guardduty.queue_url, poison = module.guardduty.poison_queue_url }
    store        = { url = module.valkey.url, user = module.valkey.user }
    limits       = var.limits
    topic        = module.monitoring.topic_arn
  })
}

# What opens weir's admin address; read by the tasks alone.
resource "aws_secretsmanager_secret" "admin" {
  name                    = "${var.prefix}/admin-token"
  description             = "Bearer token of weir's admin address"
  kms_key_id              = module.key.arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "admin" {
  secret_id                = aws_secretsmanager_secret.admin.id
  secret_string_wo         = var.admin_token
  secret_string_wo_version = var.admin_token_version
}

module "service" {
  source                    = "../../modules/service"
  prefix                    = var.prefix
  kms_key_arn               = module.key.arn
  retention_days            = var.retention_days
  subnet_ids                = module.network.private_subnet_ids
  weir_security_group_id    = module.network.security_group_ids["weir"]
  backend_security_group_id = module.network.security_group_ids["backend"]
  target_groups             = module.load_balancer.target_groups
  load_balancer_suffix      = module.load_balancer.arn_suffix
  weir                      = var.weir
  backend                   = var.backend
  prepare_image             = var.prepare_image
  architecture              = var.architecture
  config_source             = module.config_source.source
  repository_arns           = var.repository_arns
  metric_environment        = var.environment
  # By name: the alarm knows the services, so the services can't wait for it.
  rollback_alarms = ["${var.prefix}-rollback"]
  secret_files = {
    admin-token    = aws_secretsmanager_secret.admin.arn
    store-password = module.valkey.password_secret_arn
  }
  task_rights = merge(module.waf.task_rights, module.guardduty.task_rights, module.config_source.task_rights, {
    Alerts = { actions = ["sns:Publish"], resources = [module.monitoring.topic_arn], condition = {} }
    Topic  = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [module.key.arn], condition = { StringEquals = { "kms:ViaService" = "sns.${var.region}.amazonaws.com" } } }
  })
}

module "monitoring" {
  source                = "../../modules/monitoring"
  prefix                = var.prefix
  kms_key_arn           = module.key.arn
  region                = var.region
  environment           = var.environment
  alarms_file           = "${path.module}/../../../alarms.json"
  mail                  = var.mail
  load_balancer_suffix  = module.load_balancer.arn_suffix
  target_group_suffixes = { for colour, group in module.load_balancer.target_groups : colour => group.arn_suffix }
  cluster_name          = var.prefix
  service_names         = [for name in ["blue", "green", "backend"] : "${var.prefix}-${name}"]
  web_acl_name          = module.waf.web_acl_name
  store_nodes           = module.valkey.node_ids
  poison_queue          = module.guardduty.poison_queue_name
}

module "audit" {
  source          = "../../modules/audit"
  prefix          = var.prefix
  kms_key_arn     = module.key.arn
  retention_days  = var.retention_days
  protected       = var.protected
  create_recorder = var.first_in_account
  create_hub      = var.first_in_account
  promises_zip    = "${path.module}/../../build/promises.zip"
}

module "operations" {
  source           = "../../modules/operations"
  prefix           = var.prefix
  topic_arn        = module.monitoring.topic_arn
  cluster_name     = module.service.cluster_name
  config_parameter = "/${var.prefix}/config"
  patch_services   = { for name in ["blue", "green", "backend"] : name => "${var.prefix}-${name}" }
  monthly_budget   = var.monthly_budget
}

module "dns" {
  count                  = var.dns == null ? 0 : 1
  source                 = "../../modules/dns"
  prefix                 = var.prefix
  zone_id                = var.dns.zone_id
  name                   = var.dns.name
  health_path            = var.origin_health_path
  secondary              = var.dns.secondary
  load_balancer_dns_name = module.load_balancer.dns_name
  load_balancer_zone_id  = module.load_balancer.zone_id
}

module "shield" {
  count             = var.shield_advanced ? 1 : 0
  source            = "../../modules/shield"
  prefix            = var.prefix
  load_balancer_arn = module.load_balancer.arn
  health_check_arn  = module.dns[0].health_check_arn
}
