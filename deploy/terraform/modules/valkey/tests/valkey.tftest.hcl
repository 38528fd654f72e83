variables {
  prefix            = "weir-test"
  kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  subnet_ids        = ["subnet-a", "subnet-b"]
  security_group_id = "sg-s"
  fleet_name        = "test"
  password          = "0123456789abcdef0123456789abcdef"
}

provider "aws" {}

run "one_primary" {
  assert {
    condition     = aws_elasticache_replication_group.this.cluster_mode == "disabled" && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "weir speaks to one primary: cluster mode stays off."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_mode == "required" && startswith(output.url, "rediss://")
    error_message = "TLS, and nothing else."
  }
  assert {
    condition     = strcontains(aws_elasticache_user.weir.access_string, "~weir:{test}:* -@all") && startswith(aws_elasticache_user.default.access_string, "off")
    error_message = "weir's user may touch weir's keys; the default user nothing."
  }
  assert {
    condition     = length([for one in aws_elasticache_parameter_group.this.parameter : one if one.name == "maxmemory-policy" && one.value == "noeviction"]) == 1
    error_message = "No key of weir's may be evicted."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
    error_message = "A zone lost is not the store lost, and what lies on disk is encrypted."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.password.secret_string_wo == null && aws_secretsmanager_secret_version.password.secret_string == null
    error_message = "The password is in no state."
  }
  assert {
    condition     = output.node_ids == ["weir-test-store-001", "weir-test-store-002"]
    error_message = "Nodes as ElastiCache calls them, for alarms."
  }
}

run "without_the_password" {
  command = plan
  variables {
    password = null
  }
  assert {
    condition     = aws_elasticache_user.weir.passwords_wo_version == 1
    error_message = "A later plan needs no password."
  }
}

run "unprotected" {
  variables {
    protected = false
    nodes     = 3
  }
  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_retention_limit == 0 && aws_secretsmanager_secret.password.recovery_window_in_days == 0 && length(output.node_ids) == 3
    error_message = "What is not protected leaves nothing behind."
  }
}

run "refuses_short_password" {
  command = plan
  variables {
    password = "short"
  }
  expect_failures = [var.password]
}

run "refuses_one_node" {
  command = plan
  variables {
    nodes = 1
  }
  expect_failures = [var.nodes]
}

run "refuses_odd_name" {
  command = plan
  variables {
    fleet_name = "a b"
  }
  expect_failures = [var.fleet_name]
}

run "refuses_odd_values" {
  command = plan
  variables {
    prefix             = "store"
    kms_key_arn        = "key"
    retention_days     = 91
    subnet_ids         = ["subnet-a"]
    security_group_id  = "store"
    password_version   = 0
    node_type          = "t4g.small"
    engine_version     = "7.2"
    maintenance_window = "sunday"
  }
  expect_failures = [var.prefix, var.kms_key_arn, var.retention_days, var.subnet_ids, var.security_group_id, var.password_version, var.node_type, var.engine_version, var.maintenance_window]
}
