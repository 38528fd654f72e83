variable "prefix" {
  description = "What every name begins with, such as weir-production."
  type        = string
  validation {
    condition     = can(regex("^weir(-[a-z0-9]+)*$", var.prefix)) && length(var.prefix) <= 20
    error_message = "Write a prefix that begins with weir, in lower case, 20 characters at most, such as weir-staging."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts what is stored: output arn of module key."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:(kms|stub):", var.kms_key_arn))
    error_message = "Write the ARN of a KMS key, arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "retention_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 90
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "Write a number of days that CloudWatch Logs takes: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400 or years up to 3653."
  }
}

variable "vpc_id" {
  description = "The VPC in which the backend has its name: output vpc_id of module network."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[0-9a-z]+$", var.vpc_id))
    error_message = "Write the id of a VPC, vpc-…."
  }
}

variable "subnet_ids" {
  description = "Private subnets, one a zone."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Write the ids of two subnets or more, in different zones."
  }
}

variable "weir_security_group_id" {
  description = "weir's security group."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[0-9a-z]+$", var.weir_security_group_id))
    error_message = "Write the id of a security group, sg-…."
  }
}

variable "backend_security_group_id" {
  description = "The backend's security group."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[0-9a-z]+$", var.backend_security_group_id))
    error_message = "Write the id of a security group, sg-…."
  }
}

variable "target_groups" {
  description = "Blue and green: output target_groups of module load-balancer."
  type        = map(object({ arn = string, arn_suffix = string }))
  validation {
    condition     = toset(keys(var.target_groups)) == toset(["blue", "green"])
    error_message = "Write two target groups, blue and green."
  }
}

variable "load_balancer_suffix" {
  description = "The load balancer in CloudWatch's dimensions: output arn_suffix of module load-balancer."
  type        = string
  validation {
    condition     = length(var.load_balancer_suffix) > 0 && !startswith(var.load_balancer_suffix, "arn:")
    error_message = "Write the end of the load balancer's ARN, app/NAME/ID."
  }
}

variable "first_colour" {
  description = "Which colour has tasks after the very first apply."
  type        = string
  default     = "blue"
  validation {
    condition     = contains(["blue", "green"], var.first_colour)
    error_message = "Write blue or green."
  }
}

variable "weir" {
  description = "weir's image, size (CPU units, MiB), tasks, requests a second that one task shall have (docs/capacity.md), and ports."
  type = object({
    image           = string
    cpu             = optional(number, 1024)
    memory          = optional(number, 2048)
    min_tasks       = optional(number, 3)
    max_tasks       = optional(number, 30)
    requests_a_task = optional(number, 1000)
    port            = optional(number, 8080)
    admin_port      = optional(number, 9901)
    syslog_port     = optional(number)
  })
  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[^:/@]+)$", var.weir.image)) && !endswith(var.weir.image, ":latest")
    error_message = "Write weir.image with a digest or a version, such as REPOSITORY@sha256:…, never latest."
  }
  validation {
    condition     = var.weir.min_tasks >= 2 && var.weir.max_tasks >= var.weir.min_tasks
    error_message = "Write weir.min_tasks of 2 or more (one task is no service), and weir.max_tasks not below it."
  }
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.weir.cpu)
    error_message = "Write weir.cpu as Fargate has it: 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "backend" {
  description = "The service behind weir: image, port, size, tasks, environment, secrets (names to ARNs), user, and how weir finds it: dns (Cloud Map, eight tasks at most) or service-connect."
  type = object({
    image       = string
    port        = optional(number, 9000)
    cpu         = optional(number, 1024)
    memory      = optional(number, 2048)
    min_tasks   = optional(number, 2)
    max_tasks   = optional(number, 8)
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
    user        = optional(string, "65532")
    discovery   = optional(string, "dns")
  })
  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[^:/@]+)$", var.backend.image)) && !endswith(var.backend.image, ":latest")
    error_message = "Write backend.image with a digest or a version, never latest."
  }
  validation {
    condition     = var.backend.min_tasks >= 2 && var.backend.max_tasks >= var.backend.min_tasks
    error_message = "Write backend.min_tasks of 2 or more, and backend.max_tasks not below it."
  }
  validation {
    condition     = contains(["dns", "service-connect"], var.backend.discovery)
    error_message = "Write backend.discovery as dns or service-connect."
  }
  validation {
    condition     = var.backend.discovery != "dns" || var.backend.max_tasks <= 8
    error_message = "Write backend.max_tasks of 8 or less, with larger tasks, or discovery = \"service-connect\": DNS answers with eight addresses at most."
  }
  validation {
    condition     = !contains(["", "0", "root"], var.backend.user)
    error_message = "Write backend.user as a user that is not root, such as 65532."
  }
  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.backend.cpu)
    error_message = "Write backend.cpu as Fargate has it: 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "architecture" {
  description = "Processor of the tasks."
  type        = string
  default     = "ARM64"
  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "Write ARM64 (Graviton) or X86_64, as the image was built."
  }
}

variable "config_source" {
  description = "What weir gets as --config: output source of module config-source."
  type        = string
  validation {
    condition     = can(regex("^(ssm:/|appconfig:|s3://)", var.config_source))
    error_message = "Write ssm:/PATH, appconfig:APP/ENVIRONMENT/PROFILE or s3://BUCKET/KEY."
  }
}

variable "secrets" {
  description = "weir's secrets: variables of its environment to the ARN of the secret that each holds. Its config names them as env:NAME; WEIR_ADMIN_TOKEN must be one of them."
  type        = map(string)
  validation {
    condition     = contains(keys(var.secrets), "WEIR_ADMIN_TOKEN") && alltrue([for name, arn in var.secrets : can(regex("^WEIR_[A-Z_]+$", name))])
    error_message = "Write names such as WEIR_STORE_PASSWORD, one of them WEIR_ADMIN_TOKEN: the load balancer asks the admin address for health, and off loopback that needs a token."
  }
  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:[a-z-]+:(secretsmanager|stub):", arn))])
    error_message = "Write ARNs of secrets, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME."
  }
}

variable "repository_arns" {
  description = "The ECR repositories of the images."
  type        = list(string)
  validation {
    condition     = length(var.repository_arns) > 0 && alltrue([for arn in var.repository_arns : can(regex("^arn:[a-z-]+:ecr:[a-z0-9-]+:[0-9]{12}:repository/[^*]+$", arn))])
    error_message = "Write ARNs of repositories, arn:aws:ecr:REGION:ACCOUNT:repository/NAME, without wildcards."
  }
}

variable "task_rights" {
  description = "What weir may do in AWS beside sending metrics: outputs task_rights of the other modules."
  type = map(object({
    actions   = list(string)
    resources = list(string)
    condition = optional(map(map(string)), {})
  }))
  default = {}
  validation {
    condition     = alltrue([for right in var.task_rights : alltrue([for action in right.actions : can(regex("^[a-z0-9-]+:[A-Za-z]+$", action))])])
    error_message = "Write each action out, SERVICE:Action, without wildcards."
  }
}

variable "metric_namespace" {
  description = "cloudwatch.namespace of weir's config."
  type        = string
  default     = "weir"
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS")
    error_message = "Write letters, digits, dots, dashes and underscores, not beginning with AWS, such as weir."
  }
}

variable "metric_service" {
  description = "cloudwatch.service of weir's config."
  type        = string
  default     = "weir"
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+$", var.metric_service)) && !startswith(var.metric_service, "AWS")
    error_message = "Write letters, digits, dots, dashes and underscores, not beginning with AWS, such as weir."
  }
}

variable "metric_environment" {
  description = "cloudwatch.environment of weir's config."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+$", var.metric_environment))
    error_message = "Write letters, digits, dots, dashes and underscores, such as production."
  }
}

variable "rollback_alarms" {
  description = "Names of alarms that turn a deployment of ECS itself back; they must be there."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for name in var.rollback_alarms : length(name) > 0 && !startswith(name, "arn:")])
    error_message = "Write names of alarms, not ARNs."
  }
}
