variables {
  prefix            = "weir-test"
  vpc_id            = "vpc-0"
  subnet_ids        = ["subnet-a", "subnet-b", "subnet-c"]
  security_group_id = "sg-0"
  certificate_arn   = "arn:aws:acm:eu-central-1:123456789012:certificate/0"
}

provider "aws" {}

run "careful" {
  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_xff_client_port && aws_lb.this.xff_header_processing_mode == "append"
    error_message = "weir must see the client's address and port last in X-Forwarded-For, and no malformed header."
  }
  assert {
    condition     = aws_lb.this.desync_mitigation_mode == "strictest" && aws_lb.this.enable_http2 && aws_lb.this.enable_zonal_shift
    error_message = "Ambiguous requests end here; HTTP/2 and zonal shift are on."
  }
  assert {
    condition     = alltrue([for listener in [aws_lb_listener.https, aws_lb_listener.test] : strcontains(listener.ssl_policy, "-PQ-") && !listener.routing_http_response_server_enabled])
    error_message = "Key exchange is post-quantum for clients that can, and no header tells what stands here."
  }
  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.connection_logs[0].enabled
    error_message = "Requests and connections are logged."
  }
  assert {
    condition     = aws_lb.this.ip_address_type == "ipv4" && length(aws_lb.this.minimum_load_balancer_capacity) == 0 && aws_lb.this.enable_waf_fail_open
    error_message = "Without more said: IPv4, nothing reserved, and requests pass while WAF is away."
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : group.health_check[0].path == "/readyz" && group.health_check[0].port == "9901"])
    error_message = "Health is weir's own word, on its admin port."
  }
  assert {
    condition     = aws_lb_listener.test.default_action[0].target_group_arn == aws_lb_target_group.this["green"].arn
    error_message = "Tests begin with the colour that is not live."
  }
  assert {
    condition     = aws_lb.this.idle_timeout < 75
    error_message = "The load balancer must close idle connections before weir does."
  }
  assert {
    condition     = aws_lb.this.enable_deletion_protection && !aws_s3_bucket.logs.force_destroy
    error_message = "Protected unless told otherwise."
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : tonumber(group.deregistration_delay) >= 25])
    error_message = "Targets must stay for as long as weir drains."
  }
  assert {
    condition     = [for group in aws_lb_listener.https.default_action[0].forward[0].target_group : group.weight if group.arn == aws_lb_target_group.this["blue"].arn] == [100]
    error_message = "At first blue has everything."
  }
}

run "in_a_flood_zone" {
  variables {
    ipv6              = true
    reserved_capacity = 250
    waf_fail_open     = false
    protected         = false
  }
  assert {
    condition     = aws_lb.this.ip_address_type == "dualstack" && aws_lb.this.minimum_load_balancer_capacity[0].capacity_units == 250 && !aws_lb.this.enable_waf_fail_open
    error_message = "IPv6, reserved capacity and fail closed, as asked."
  }
  assert {
    condition     = !aws_lb.this.enable_deletion_protection && aws_s3_bucket.logs.force_destroy
    error_message = "What is not protected can go."
  }
}

run "refuses_old_tls" {
  command = plan
  variables {
    tls_policy = "ELBSecurityPolicy-2016-08"
  }
  expect_failures = [var.tls_policy]
}

run "refuses_one_zone" {
  command = plan
  variables {
    subnet_ids = ["subnet-a"]
  }
  expect_failures = [var.subnet_ids]
}

run "refuses_no_certificate" {
  command = plan
  variables {
    certificate_arn = "none"
  }
  expect_failures = [var.certificate_arn]
}

run "refuses_old_ciphers" {
  command = plan
  variables {
    tls_policy = "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06"
  }
  expect_failures = [var.tls_policy]
}

run "refuses_few_units" {
  command = plan
  variables {
    reserved_capacity = 20
  }
  expect_failures = [var.reserved_capacity]
}

run "refuses_odd_values" {
  command = plan
  variables {
    prefix            = "weir-production-in-frankfurt"
    retention_days    = 91
    weir_port         = 0
    admin_port        = 65536
    test_port         = -1
    vpc_id            = "network"
    security_group_id = "balancer"
  }
  expect_failures = [var.prefix, var.retention_days, var.weir_port, var.admin_port, var.test_port, var.vpc_id, var.security_group_id]
}
