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
