variables {
  prefix                    = "weir-test"
  kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  vpc_id                    = "vpc-0"
  subnet_ids                = ["subnet-a", "subnet-b"]
  weir_security_group_id    = "sg-w"
  backend_security_group_id = "sg-b"
  target_groups             = { blue = { arn = "arn:aws:b", arn_suffix = "targetgroup/b/1" }, green = { arn = "arn:aws:g", arn_suffix = "targetgroup/g/1" } }
  load_balancer_suffix      = "app/weir-test/1"
  weir                      = { image = "registry/weir:1.0.0" }
  backend                   = { image = "registry/backend:1.0.0" }
  config_source             = "ssm:/weir-test/config"
  secrets                   = { WEIR_ADMIN_TOKEN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a" }
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
    condition     = jsondecode(aws_ecs_task_definition.weir.container_definitions)[0].stopTimeout > 25
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

run "secrets" {
  variables {
    secrets = {
      WEIR_ADMIN_TOKEN    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a"
      WEIR_STORE_PASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s"
    }
    backend = { image = "registry/backend:1.0.0", secrets = { DATABASE_URL = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:d" } }
  }
  assert {
    condition     = length(jsondecode(aws_ecs_task_definition.weir.container_definitions)) == 1
    error_message = "weir is the task's only container."
  }
  assert {
    condition     = toset([for one in jsondecode(aws_ecs_task_definition.weir.container_definitions)[0].secrets : one.name]) == toset(["WEIR_ADMIN_TOKEN", "WEIR_STORE_PASSWORD"])
    error_message = "ECS puts the secrets into weir's environment."
  }
  assert {
    condition     = [for one in jsondecode(aws_ecs_task_definition.weir.container_definitions)[0].environment : one.value if one.name == "WEIR_TOKEN_FILE"] == ["env:WEIR_ADMIN_TOKEN"]
    error_message = "The health check shows the admin token."
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.execution["backend"].policy, "secret:d") && !strcontains(aws_iam_role_policy.execution["backend"].policy, "secret:a") && !strcontains(aws_iam_role_policy.execution["weir"].policy, "secret:d")
    error_message = "Each task is given its own secrets and no other's."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.weir.policy, "secretsmanager")
    error_message = "weir itself can't ask for secrets; ECS hands them over."
  }
}

run "finds_the_backend_by_dns" {
  assert {
    condition     = output.backend_address == "backend.weir-test.internal:9000" && aws_service_discovery_service.backend[0].dns_config[0].routing_policy == "MULTIVALUE"
    error_message = "A name of its own with an address for each task."
  }
  assert {
    condition     = aws_ecs_service.backend.service_registries[0].registry_arn == aws_service_discovery_service.backend[0].arn && length(aws_ecs_service.weir["blue"].service_connect_configuration) == 0
    error_message = "ECS keeps the addresses; there is no second proxy."
  }
}

run "finds_the_backend_by_service_connect" {
  variables {
    backend = { image = "registry/backend:1.0.0", discovery = "service-connect", max_tasks = 40 }
  }
  assert {
    condition     = output.backend_address == "backend:9000" && length(aws_service_discovery_service.backend) == 0
    error_message = "The name that Service Connect gives."
  }
  assert {
    condition     = alltrue([for service in concat(values(aws_ecs_service.weir), [aws_ecs_service.backend]) : service.service_connect_configuration[0].enabled])
    error_message = "All services are in the mesh."
  }
  assert {
    condition     = contains(keys(output.log_groups), "connect")
    error_message = "Its proxies have a log."
  }
}

run "hears_syslog" {
  variables {
    weir = { image = "registry/weir:1.0.0", syslog_port = 5140 }
  }
  assert {
    condition     = contains([for port in jsondecode(aws_ecs_task_definition.weir.container_definitions)[0].portMappings : "${port.containerPort}/${port.protocol}"], "5140/udp")
    error_message = "Gateways reach weir by UDP."
  }
}

run "scales" {
  assert {
    condition     = aws_appautoscaling_target.weir["blue"].min_capacity == 3 && aws_appautoscaling_target.weir["green"].min_capacity == 0
    error_message = "The colour that waits may have no task."
  }
  assert {
    condition     = toset(aws_cloudwatch_metric_alarm.attack.alarm_actions) == toset([for policy in aws_appautoscaling_policy.attack : policy.arn]) && aws_cloudwatch_metric_alarm.attack.threshold == 2
    error_message = "An attack scales out by itself."
  }
  assert {
    condition     = aws_appautoscaling_policy.requests["blue"].target_tracking_scaling_policy_configuration[0].target_value == 60000
    error_message = "1,000 requests a second are 60,000 a minute."
  }
}

run "hardened" {
  assert {
    condition     = alltrue([for service in concat(values(aws_ecs_service.weir), [aws_ecs_service.backend]) : !service.enable_execute_command && service.availability_zone_rebalancing == "ENABLED"])
    error_message = "Nobody enters a container, and tasks are spread again after a zone was lost."
  }
  assert {
    condition     = alltrue([for container in concat(jsondecode(aws_ecs_task_definition.weir.container_definitions), jsondecode(aws_ecs_task_definition.backend.container_definitions)) : container.user == "65532" && container.linuxParameters.capabilities.drop == ["ALL"]])
    error_message = "Not root, and without capabilities."
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
    secrets = { WEIR_STORE_PASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:s" }
  }
  expect_failures = [var.secrets]
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

run "refuses_secret_in_the_open" {
  command = plan
  variables {
    secrets = { WEIR_ADMIN_TOKEN = "0123456789abcdef0123456789abcdef" }
  }
  expect_failures = [var.secrets]
}

run "refuses_more_than_dns_answers" {
  command = plan
  variables {
    backend = { image = "registry/backend:1", max_tasks = 9 }
  }
  expect_failures = [var.backend]
}

run "refuses_root_backend" {
  command = plan
  variables {
    backend = { image = "registry/backend:1", user = "root" }
  }
  expect_failures = [var.backend]
}

run "refuses_odd_discovery" {
  command = plan
  variables {
    backend = { image = "registry/backend:1", discovery = "mesh" }
  }
  expect_failures = [var.backend]
}

run "refuses_unversioned_backend" {
  command = plan
  variables {
    backend = { image = "registry/backend" }
  }
  expect_failures = [var.backend]
}

run "refuses_backend_of_one" {
  command = plan
  variables {
    backend = { image = "registry/backend:1", min_tasks = 1 }
  }
  expect_failures = [var.backend]
}

run "refuses_backend_of_odd_cpu" {
  command = plan
  variables {
    backend = { image = "registry/backend:1", cpu = 300 }
  }
  expect_failures = [var.backend]
}

run "refuses_odd_values" {
  command = plan
  variables {
    prefix                    = "edge"
    kms_key_arn               = "key"
    retention_days            = 91
    vpc_id                    = "network"
    subnet_ids                = ["subnet-a"]
    weir_security_group_id    = "weir"
    backend_security_group_id = "backend"
    first_colour              = "red"
    architecture              = "arm"
    load_balancer_suffix      = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/weir-test/1"
    metric_namespace          = "AWS/weir"
    metric_service            = ""
    metric_environment        = "a b"
    rollback_alarms           = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:x"]
  }
  expect_failures = [var.load_balancer_suffix, var.metric_namespace, var.metric_service, var.metric_environment, var.rollback_alarms, var.prefix, var.kms_key_arn, var.retention_days, var.vpc_id, var.subnet_ids, var.weir_security_group_id, var.backend_security_group_id, var.first_colour, var.architecture]
}

run "refuses_one_colour" {
  command = plan
  variables {
    target_groups = { blue = { arn = "arn:aws:b", arn_suffix = "targetgroup/b/1" } }
    first_colour  = "blue"
  }
  expect_failures = [var.target_groups]
}
