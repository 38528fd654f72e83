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

  # ECS hands secrets over as variables; weir reads files. So a container that ends at once writes them down,
  # for weir's user alone, in memory that lives as long as the task. It also makes weir's folder writable for it.
  write_down = join(" && ", concat(
    ["umask 077"],
    [for file, arn in var.secret_files : "printf %s \"$${SECRET_${local.variable[file]}}\" > /run/secrets/${file}"],
    ["chown -R ${local.user}:${local.user} /run/secrets /var/lib/weir"],
  ))
  variable = { for file, arn in var.secret_files : file => upper(replace(file, "-", "_")) }
  user     = "65532"

  hardened = {
    essential              = true
    readonlyRootFilesystem = true
    privileged             = false
    linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"], add = [] } }
  }

  prepare = {
    name                   = "prepare"
    image                  = var.prepare_image
    essential              = false
    readonlyRootFilesystem = true
    privileged             = false
    user                   = "0"
    entryPoint             = ["/bin/sh", "-c"]
    command                = [local.write_down]
    linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"], add = ["CHOWN", "DAC_OVERRIDE"] } }
    secrets                = [for file, arn in var.secret_files : { name = "SECRET_${local.variable[file]}", valueFrom = arn }]
    mountPoints = [
      { sourceVolume = "secrets", containerPath = "/run/secrets", readOnly = false },
      { sourceVolume = "state", containerPath = "/var/lib/weir", readOnly = false },
    ]
    logConfiguration = { logDriver = "awslogs", options = local.logs["weir"] }
  }

  weir = merge(local.hardened, {
    name    = "weir"
    image   = var.weir.image
    user    = local.user
    command = ["serve", "--config", var.config_source, "--config-cache", "/var/lib/weir/last-good.toml"]
    environment = [
      { name = "AWS_REGION", value = data.aws_region.this.region },
      { name = "WEIR_TOKEN_FILE", value = "/run/secrets/admin-token" },
    ]
    dependsOn    = [{ containerName = "prepare", condition = "SUCCESS" }]
    portMappings = [{ name = "http", containerPort = var.weir.port, protocol = "tcp" }, { name = "admin", containerPort = var.weir.admin_port, protocol = "tcp" }]
    mountPoints = [
      { sourceVolume = "secrets", containerPath = "/run/secrets", readOnly = true },
      { sourceVolume = "state", containerPath = "/var/lib/weir", readOnly = false },
    ]
    healthCheck = { command = ["CMD", "/usr/bin/weir", "status"], interval = 10, timeout = 5, retries = 3, startPeriod = 10 }
    # A connection is a file, and so is its other end.
    ulimits = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    # Above weir's drain_timeout, 25 s.
    stopTimeout      = 40
    logConfiguration = { logDriver = "awslogs", options = local.logs["weir"] }
  })

  backend = merge(local.hardened, {
    name             = "backend"
    image            = var.backend.image
    user             = local.user
    environment      = [for name, value in var.backend.environment : { name = name, value = value }]
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
  container_definitions    = jsonencode([local.prepare, local.weir])
  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }
  volume {
    name = "secrets"
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
