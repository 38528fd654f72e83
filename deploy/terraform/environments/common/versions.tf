terraform {
  # 1.11: the state's lock lies in S3 itself, and secrets pass through without reaching the state.
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
