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
}

variable "backend_security_group_id" {
  description = "The backend's security group."
  type        = string
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
  description = "weir's image, size (CPU units, MiB), tasks, requests a second that one task shall have, and ports."
  type = object({
    image           = string
    cpu             = optional(number, 1024)
    memory          = optional(number, 2048)
    min_tasks       = optional(number, 3)
    max_tasks       = optional(number, 30)
    requests_a_task = optional(number, 1000)
    port            = optional(number, 8080)
    admin_port      = optional(number, 9901)
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
  description = "The service behind weir: image, port, size, tasks and environment."
  type = object({
    image       = string
    port        = optional(number, 9000)
    cpu         = optional(number, 1024)
    memory      = optional(number, 2048)
    min_tasks   = optional(number, 2)
    max_tasks   = optional(number, 10)
    environment = optional(map(string), {})
  })
  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[^:/@]+)$", var.backend.image)) && !endswith(var.backend.image, ":latest")
    error_message = "Write backend.image with a digest or a version, never latest."
  }
}

variable "prepare_image" {
  description = "An image with /bin/sh and chown (busybox, from your own registry), which writes secrets to files before weir starts."
  type        = string
  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[^:/@]+)$", var.prepare_image)) && !endswith(var.prepare_image, ":latest")
    error_message = "Write the image with a digest or a version, never latest."
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

variable "secret_files" {
  description = "Files in /run/secrets to the ARN of the secret that each holds; admin-token must be one of them."
  type        = map(string)
  validation {
    condition     = contains(keys(var.secret_files), "admin-token") && alltrue([for file in keys(var.secret_files) : can(regex("^[a-z0-9-]+$", file))])
    error_message = "Write file names of small letters, digits and dashes, one of them admin-token: the load balancer's health checks need the admin address, and that needs a token."
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
}

variable "metric_service" {
  description = "cloudwatch.service of weir's config."
  type        = string
  default     = "weir"
}

variable "metric_environment" {
  description = "cloudwatch.environment of weir's config."
  type        = string
}

variable "rollback_alarms" {
  description = "Alarms that turn a deployment of ECS itself back."
  type        = list(string)
  default     = []
}
