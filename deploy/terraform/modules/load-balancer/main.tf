# The load balancer in front of weir, and the two groups of targets between which a release moves.

resource "aws_lb" "this" {
  name               = var.prefix
  internal           = false
  load_balancer_type = "application"
  subnets            = var.subnet_ids
  security_groups    = [var.security_group_id]

  ip_address_type = var.ipv6 ? "dualstack" : "ipv4"
  enable_http2    = true
  # weir keeps idle connections for 75 s. The side that closes first must be the load balancer, or a request meets a
  # connection that is just being closed, and the client gets 502.
  idle_timeout = 60
  # Ambiguous requests (smuggling) and odd header names never reach weir.
  desync_mitigation_mode     = "strictest"
  drop_invalid_header_fields = true
  # weir believes the last entry of X-Forwarded-For. With the port it can be joined with NetFlow and gateways' logs.
  xff_header_processing_mode = "append"
  enable_xff_client_port     = true
  # The Host header as the client sent it.
  preserve_host_header             = true
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.protected
  # When AWS WAF does not answer, requests pass: weir behind it goes on filtering, and a filter that fails must not be
  # the outage that it was bought against. False where a rule of WAF must never be missed.
  enable_waf_fail_open = var.waf_fail_open
  # A zone that is ill can be left by one call (ARC zonal shift).
  enable_zonal_shift = true

  # Capacity that is there before the flood: a load balancer grows over minutes.
  dynamic "minimum_load_balancer_capacity" {
    for_each = var.reserved_capacity > 0 ? [var.reserved_capacity] : []
    content {
      capacity_units = minimum_load_balancer_capacity.value
    }
  }

  access_logs {
    enabled = true
    bucket  = aws_s3_bucket.logs.id
    prefix  = "access"
  }
  connection_logs {
    enabled = true
    bucket  = aws_s3_bucket.logs.id
    prefix  = "connection"
  }

  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_lb_target_group" "this" {
  for_each    = toset(["blue", "green"])
  name        = "${var.prefix}-${each.key}"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.weir_port
  # At or above weir's drain_timeout, 25 s, so that no request is cut.
  deregistration_delay = 30
  # Fewest in flight first: a task that is slow gets less. No slow start: it does not go with this, and weir needs none.
  load_balancing_algorithm_type = "least_outstanding_requests"

  # weir's own word: 503 as soon as it drains.
  health_check {
    port                = tostring(var.admin_port)
    path                = "/readyz"
    matcher             = "200"
    interval            = 5
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = var.tls_policy
  certificate_arn   = var.certificate_arn
  # Nobody need know what stands here.
  routing_http_response_server_enabled = false

  default_action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.this["blue"].arn
        weight = 100
      }
      target_group {
        arn    = aws_lb_target_group.this["green"].arn
        weight = 0
      }
    }
  }

  # The weights belong to the rollout: an apply in the middle of one must not turn it back.
  lifecycle {
    ignore_changes = [default_action]
  }
}

# The release that is not live yet, for smoke and load tests. Its security group rule says who gets here.
resource "aws_lb_listener" "test" {
  load_balancer_arn = aws_lb.this.arn
  port              = var.test_port
  protocol          = "HTTPS"
  ssl_policy        = var.tls_policy
  certificate_arn   = var.certificate_arn
  # Nobody need know what stands here.
  routing_http_response_server_enabled = false

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["green"].arn
  }

  lifecycle {
    ignore_changes = [default_action]
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
