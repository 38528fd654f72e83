# What terraform.tfvars may say, and what is refused with a word on what to write. staging/ and production/ link to this
# folder, so both are tested with their own file.

run "the_file_as_it_stands" {
  command = plan
}

run "names_and_places" {
  command = plan
  variables {
    prefix      = "edge"
    environment = "Production"
    account_id  = "1234"
    cidr        = "10.20.0.0"
  }
  expect_failures = [var.prefix, var.environment, var.account_id, var.cidr]
}

run "a_region_that_is_none" {
  command = plan
  variables {
    region = "Frankfurt"
    zones  = ["Frankfurta", "Frankfurtb", "Frankfurtc"]
  }
  expect_failures = [var.region]
}

run "a_prefix_too_long" {
  command = plan
  variables {
    prefix = "weir-production-of-frankfurt"
  }
  expect_failures = [var.prefix]
}

run "two_zones_only" {
  command = plan
  variables {
    zones = ["eu-central-1a", "eu-central-1b"]
  }
  expect_failures = [var.zones]
}

run "production_is_protected" {
  command = plan
  variables {
    environment = "production"
    protected   = false
  }
  expect_failures = [var.protected]
}

run "who_gets_in" {
  command = plan
  variables {
    client_cidrs    = []
    test_cidrs      = ["0.0.0.0/0"]
    certificate_arn = "shop.example"
    mail            = ["on call"]

    operator_security_group_ids = ["0.0.0.0/0"]
  }
  expect_failures = [var.client_cidrs, var.test_cidrs, var.certificate_arn, var.mail, var.operator_security_group_ids]
}

run "what_runs" {
  command = plan
  variables {
    architecture      = "arm"
    repository_arns   = []
    reserved_capacity = 7
  }
  expect_failures = [var.architecture, var.repository_arns, var.reserved_capacity]
}

run "limits_and_the_backend" {
  command = plan
  variables {
    limits             = { per-client = { rate = "10", burst = 100 } }
    origin_capacity    = "500"
    origin_health_path = "healthz"
    waf_rate_limit     = 10
    config_kind        = "consul"
  }
  expect_failures = [var.limits, var.origin_capacity, var.origin_health_path, var.waf_rate_limit, var.config_kind]
}

run "an_action_that_is_none" {
  command = plan
  variables {
    limits = { per-client = { rate = "10/s", burst = 100, action = "drop" } }
  }
  expect_failures = [var.limits]
}

run "secrets_and_their_versions" {
  command = plan
  variables {
    admin_token      = "short"
    store_password   = "short"
    challenge_secret = "short"
    address_key      = "short"
    secret_versions  = { admin_token = 0 }
  }
  expect_failures = [var.admin_token, var.store_password, var.challenge_secret, var.address_key, var.secret_versions]
}

run "what_weir_hears_and_writes" {
  command = plan
  variables {
    log_addresses   = "salted"
    aviatrix        = { sources = ["192.0.2.0/24"], action = "drop" }
    more_config     = { listen = "[ban]" }
    waf_allow       = ["192.0.2.7"]
    shield_contacts = [{ mail = "oncall@example.com", phone = "030 123456" }]
  }
  expect_failures = [var.log_addresses, var.aviatrix, var.more_config, var.waf_allow, var.shield_contacts]
}

run "a_table_that_stands_there_already" {
  command = plan
  variables {
    more_config = { tables = "[waf]" }
  }
  expect_failures = [var.more_config]
}

run "sizes_and_costs" {
  command = plan
  variables {
    store_node_type = "db.t4g.small"
    monthly_budget  = 0
    retention_days  = 0
  }
  expect_failures = [var.store_node_type, var.monthly_budget, var.retention_days]
}

run "shield_without_a_health_check" {
  command = plan
  variables {
    shield_advanced = true
    dns             = null
  }
  expect_failures = [var.shield_advanced]
}
