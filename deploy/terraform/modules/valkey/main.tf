# The store that weir's tasks share: a primary and replicas, not ElastiCache Serverless (decision 32 in docs/decisions).

resource "aws_elasticache_subnet_group" "this" {
  name       = "${var.prefix}-store"
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.prefix}-store"
  family      = "valkey8"
  description = "weir's keys are bounded by weir; none of them may be evicted"
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
  # A digest goes to every task each second: one that can't take it is cut off and comes back.
  parameter {
    name  = "client-output-buffer-limit-normal-hard-limit"
    value = "268435456"
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = "${var.prefix}-store"
  description          = "Bans, limits and leadership of weir"
  engine               = "valkey"
  engine_version       = var.engine_version
  node_type            = var.node_type
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.this.name

  # A primary and its replicas in other zones, cluster mode off. What a failover loses weir tells it again.
  cluster_mode               = "disabled"
  num_cache_clusters         = var.nodes
  automatic_failover_enabled = true
  multi_az_enabled           = true

  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group_id]
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  # weir needs no backup of it; one a day helps to look back.
  snapshot_retention_limit   = var.protected ? 7 : 0
  final_snapshot_identifier  = var.protected ? "${var.prefix}-store-final" : null
  auto_minor_version_upgrade = true
  maintenance_window         = var.maintenance_window
  apply_immediately          = !var.protected

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.this.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.prefix}/store"
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn
}
