# What runs in a task. Each change makes a new revision; the old ones stay, so that a rollback needs no build.

locals {
  # Non-blocking, knowingly: lines that CloudWatch Logs does not take within 25 MB of them are lost, requests never wait.
  # Whoever must keep every line lets weir send to CloudWatch Logs or syslog itself, which counts what it loses.
  logs = { for name, group in aws_cloudwatch_log_group.this : name => {
    "awslogs-group"         = group.name
    "awslogs-region"        = data.aws_region.this.region
    "awslogs-stream-prefix" = name
    "mode"                  = "non-blocking"
    "max-buffer-size"       = "25m"
  } }

  user = "65532"

  hardened = {
    essential              = true
    readonlyRootFilesystem = true
    privileged             = false
    linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"], add = [] } }
  }

  weir = merge(local.hardened, {
    name    = "weir"
    image   = var.weir.image
    user    = local.user
    command = ["serve", "--config", var.config_source, "--config-cache", "/var/lib/weir/last-good.toml"]
    environment = [
      { name = "AWS_REGION", value = data.aws_region.this.region },
      # For `weir status`, by which ECS asks for weir's health: the admin address wants its token.
      { name = "WEIR_TOKEN_FILE", value = "env:WEIR_ADMIN_TOKEN" },
    ]
    # Put into the environment by ECS at the start; weir's config names them as env:NAME.
    secrets = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
    portMappings = concat(
      [for name, port in { admin = var.weir.admin_port, http = var.weir.port } : { name = name, containerPort = port, protocol = "tcp" }],
      var.weir.syslog_port == null ? [] : [{ name = "syslog", containerPort = var.weir.syslog_port, protocol = "udp" }],
    )
    # The one place to write: the last good config. It lives as long as the task, and gets its owner from the image,
    # which declares it as a volume.
    mountPoints = [{ sourceVolume = "state", containerPath = "/var/lib/weir", readOnly = false }]
    # A crash is mended in the same task within seconds; one in the first minute ends it, for the circuit breaker to see.
    restartPolicy = { enabled = true, ignoredExitCodes = [0], restartAttemptPeriod = 60 }
    healthCheck   = { command = ["CMD", "/usr/bin/weir", "status"], interval = 10, timeout = 5, retries = 3, startPeriod = 10 }
    # A connection is a file, and so is its other end.
    ulimits = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    # Above weir's drain_timeout, 25 s.
    stopTimeout      = 40
    logConfiguration = { logDriver = "awslogs", options = local.logs["weir"] }
  })

  backend = merge(local.hardened, {
    name             = "backend"
    image            = var.backend.image
    user             = var.backend.user
    environment      = [for name, value in var.backend.environment : { name = name, value = value }]
    secrets          = [for name, arn in var.backend.secrets : { name = name, valueFrom = arn }]
    portMappings     = [{ name = "http", containerPort = var.backend.port, protocol = "tcp", appProtocol = "http" }]
    ulimits          = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    stopTimeout      = 40
    logConfiguration = { logDriver = "awslogs", options = local.logs["backend"] }
  })
}

resource "aws_ecs_task_definition" "weir" {
  family                   = "${var.prefix}-weir"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.weir.cpu)
  memory                   = tostring(var.weir.memory)
  execution_role_arn       = aws_iam_role.execution["weir"].arn
  task_role_arn            = aws_iam_role.weir.arn
  skip_destroy             = true
  container_definitions    = jsonencode([local.weir])
  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }
  volume {
    name = "state"
  }
}

resource "aws_ecs_task_definition" "backend" {
  family                   = "${var.prefix}-backend"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.backend.cpu)
  memory                   = tostring(var.backend.memory)
  execution_role_arn       = aws_iam_role.execution["backend"].arn
  skip_destroy             = true
  container_definitions    = jsonencode([local.backend])
  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }
}
