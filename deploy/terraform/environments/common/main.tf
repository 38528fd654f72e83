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
  source                      = "../../modules/network"
  prefix                      = var.prefix
  kms_key_arn                 = module.key.arn
  retention_days              = var.retention_days
  cidr                        = var.cidr
  zones                       = var.zones
  nat                         = var.nat
  client_cidrs                = var.client_cidrs
  test_cidrs                  = var.test_cidrs
  ipv6                        = var.ipv6
  operator_security_group_ids = var.operator_security_group_ids
  backend_port                = var.backend.port
  syslog_cidrs                = var.aviatrix == null ? [] : var.aviatrix.sources
  syslog_port                 = var.aviatrix == null ? 5140 : var.aviatrix.port
  # The list of module network without the source of the config that is not used.
  interface_endpoints = concat(["ecr.api", "ecr.dkr", "logs", "monitoring", "secretsmanager", "sqs", "sns", "wafv2"], var.config_kind == "ssm" ? ["ssm"] : ["appconfigdata"])
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
  ipv6              = var.ipv6
  waf_fail_open     = var.waf_fail_open
  reserved_capacity = var.reserved_capacity
}

module "waf" {
  source            = "../../modules/waf"
  prefix            = var.prefix
  kms_key_arn       = module.key.arn
  retention_days    = var.retention_days
  load_balancer_arn = module.load_balancer.arn
  managed           = var.waf_managed
  allow             = var.waf_allow
  # A health check is no browser: a challenge would be an outage to it, and send clients to the second place.
  anti_ddos  = var.waf_anti_ddos == null ? null : merge(var.waf_anti_ddos, { exempt = concat(var.waf_anti_ddos.exempt, ["^${replace(var.origin_health_path, ".", "\\.")}$"]) })
  rate_limit = var.waf_rate_limit
  log_all    = var.waf_log_all
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
  password_version  = var.secret_versions.store_password
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
  config         = templatefile("${path.module}/weir.toml.tftpl", merge(local.config, { observe = false }))
  observe_config = templatefile("${path.module}/weir.toml.tftpl", merge(local.config, { observe = true }))
}

locals {
  # What the config's template needs to know; `observe` is the kill switch's.
  config = {
    environment = var.environment
    balancer    = module.network.public_subnet_cidrs
    origin      = { address = module.service.backend_address, capacity = var.origin_capacity, health_path = var.origin_health_path, one_address = var.backend.discovery != "dns" }
    waf         = { ipv4 = module.waf.ipv4_sets, ipv6 = module.waf.ipv6_sets }
    queues      = { findings = module.guardduty.queue_url, poison = module.guardduty.poison_queue_url }
    store       = { url = module.valkey.url, user = module.valkey.user }
    limits      = var.limits
    topic       = module.monitoring.topic_arn
    addresses   = var.log_addresses
    aviatrix    = var.aviatrix
    more        = var.more_config
  }
}

module "service" {
  source                    = "../../modules/service"
  prefix                    = var.prefix
  kms_key_arn               = module.key.arn
  retention_days            = var.retention_days
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.private_subnet_ids
  weir_security_group_id    = module.network.security_group_ids["weir"]
  backend_security_group_id = module.network.security_group_ids["backend"]
  target_groups             = module.load_balancer.target_groups
  load_balancer_suffix      = module.load_balancer.arn_suffix
  weir                      = merge(var.weir, { syslog_port = var.aviatrix == null ? null : var.aviatrix.port })
  backend                   = var.backend
  architecture              = var.architecture
  config_source             = module.config_source.source
  repository_arns           = var.repository_arns
  metric_environment        = var.environment
  rollback_alarms           = [module.monitoring.rollback_alarm_name]
  secrets = {
    WEIR_ADMIN_TOKEN      = aws_secretsmanager_secret_version.weir["admin-token"].arn
    WEIR_CHALLENGE_SECRET = aws_secretsmanager_secret_version.weir["challenge-secret"].arn
    WEIR_ADDRESS_KEY      = aws_secretsmanager_secret_version.weir["address-key"].arn
    WEIR_STORE_PASSWORD   = module.valkey.password_secret_arn
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
  dashboard_file        = "${path.module}/../../../dashboards/cloudwatch.json"
  mail                  = var.mail
  load_balancer_suffix  = module.load_balancer.arn_suffix
  target_group_suffixes = { for colour, group in module.load_balancer.target_groups : colour => group.arn_suffix }
  cluster_name          = var.prefix
  service_names         = [for name in ["blue", "green", "backend"] : "${var.prefix}-${name}"]
  web_acl_name          = module.waf.web_acl_name
  store_nodes           = module.valkey.node_ids
  poison_queue          = module.guardduty.poison_queue_name
  findings_queue        = module.guardduty.queue_name
}

module "audit" {
  source                      = "../../modules/audit"
  prefix                      = var.prefix
  kms_key_arn                 = module.key.arn
  retention_days              = var.retention_days
  protected                   = var.protected
  create_recorder             = var.first_in_account
  create_config_role          = var.create_config_role
  operator_security_group_ids = var.operator_security_group_ids
  gateways                    = var.aviatrix == null ? null : { networks = var.aviatrix.sources, port = var.aviatrix.port }
  create_hub                  = var.first_in_account
  promises_zip                = "${path.module}/../../build/promises.zip"
}

module "operations" {
  source           = "../../modules/operations"
  prefix           = var.prefix
  topic_arn        = module.monitoring.topic_arn
  cluster_name     = module.service.cluster_name
  config_parameter = module.config_source.parameter
  config_appconfig = module.config_source.appconfig
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
  ipv6                   = var.ipv6
  load_balancer_dns_name = module.load_balancer.dns_name
  load_balancer_zone_id  = module.load_balancer.zone_id
}

module "shield" {
  count                = var.shield_advanced ? 1 : 0
  source               = "../../modules/shield"
  prefix               = var.prefix
  load_balancer_arn    = module.load_balancer.arn
  health_check_arn     = module.dns[0].health_check_arn
  emergency_contacts   = var.shield_contacts
  response_team_access = length(var.shield_contacts) > 0
}
