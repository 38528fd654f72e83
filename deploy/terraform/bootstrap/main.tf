# Applied once an account, before the environments. Its state begins in a file, and moves into the bucket that it made:
# see README.md.

terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "region" {
  description = "The AWS Region of the state and the images."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write a Region, such as eu-central-1."
  }
}

variable "account_id" {
  description = "The AWS account; Terraform refuses to work in another one."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Write the twelve digits of the account."
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags {
    tags = { Project = "weir", ManagedBy = "terraform" }
  }
}

module "bootstrap" {
  source = "../modules/bootstrap"
}

output "state_bucket" {
  description = "The bucket of the environments' state."
  value       = module.bootstrap.state_bucket
}

output "repositories" {
  description = "ARN and URL of each repository of images."
  value       = module.bootstrap.repositories
}
