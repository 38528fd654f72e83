variables {
  prefix                    = "weir-test"
  kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  subnet_ids                = ["subnet-a", "subnet-b"]
  weir_security_group_id    = "sg-w"
  backend_security_group_id = "sg-b"
  target_groups             = { blue = { arn = "arn:aws:b", arn_suffix = "targetgroup/b/1" }, green = { arn = "arn:aws:g", arn_suffix = "targetgroup/g/1" } }
  load_balancer_suffix      = "app/weir-test/1"
  weir                      = { image = "registry/weir:1.0.0" }
  backend                   = { image = "registry/backend:1.0.0" }
  prepare_image             = "registry/busybox:1.37"
  config_source             = "ssm:/weir-test/config"
  secret_files              = { admin-token = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a" }
  repository_arns           = ["arn:aws:ecr:eu-central-1:123456789012:repository/weir"]
  metric_environment        = "test"
}

provider "aws" {}

run "careful" {
  assert {
    condition     = aws_ecs_service.weir["blue"].desired_count == 3 && aws_ecs_service.weir["green"].desired_count == 0
    error_message = "Blue lives first, green waits without tasks."
  }
  assert {
    condition     = alltrue([for service in concat(values(aws_ecs_service.weir), [aws_ecs_service.backend]) : !service.network_configuration[0].assign_public_ip && service.deployment_circuit_breaker[0].rollback])
    error_message = "No public task, and a bad deployment is turned back."
  }
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.weir.container_definitions) : container.readonlyRootFilesystem && !container.privileged])
    error_message = "Containers may write nowhere but into their volumes."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.weir.container_definitions)[1].stopTimeout > 25
    error_message = "ECS must wait until weir has drained."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.execution["backend"].policy, "secretsmanager")
    error_message = "The backend is given no secret of weir's."
  }
  assert {
    condition     = aws_ecs_task_definition.backend.task_role_arn == null
    error_message = "The backend has no right in AWS."
  }
}

run "rights_are_written_out" {
  variables {
    task_rights = { Sets = { actions = ["wafv2:GetIPSet"], resources = ["arn:aws:wafv2:::set"] } }
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.weir.policy).Statement : statement.Sid] == ["Metrics", "Sets"]
    error_message = "weir may send metrics, and what it was given."
  }
}

run "refuses_latest" {
  command = plan
  variables {
    weir = { image = "registry/weir:latest" }
  }
  expect_failures = [var.weir]
}

run "refuses_one_task" {
  command = plan
  variables {
    weir = { image = "registry/weir:1", min_tasks = 1 }
  }
  expect_failures = [var.weir]
}

run "refuses_odd_cpu" {
  command = plan
  variables {
    weir = { image = "registry/weir:1", cpu = 300 }
  }
  expect_failures = [var.weir]
}

run "refuses_wildcard_right" {
  command = plan
  variables {
    task_rights = { All = { actions = ["wafv2:*"], resources = ["*"] } }
  }
  expect_failures = [var.task_rights]
}

run "refuses_no_token" {
  command = plan
  variables {
    secret_files = {}
  }
  expect_failures = [var.secret_files]
}

run "refuses_any_repository" {
  command = plan
  variables {
    repository_arns = ["*"]
  }
  expect_failures = [var.repository_arns]
}

run "refuses_file_config" {
  command = plan
  variables {
    config_source = "/etc/weir.toml"
  }
  expect_failures = [var.config_source]
}
