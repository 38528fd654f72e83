# What an account needs before the first environment: where Terraform's state lies, and where images lie.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

resource "aws_kms_key" "this" {
  description             = "${var.prefix}: Terraform's state and images"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # Without this nobody could change the key any more. Who may use it is then a matter of IAM policies.
      Sid       = "AccountAdministers"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root" }
      Action    = ["kms:*"]
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.prefix}-bootstrap"
  target_key_id = aws_kms_key.this.key_id
}

# Images by digest, never overwritten, scanned as they come in. Signatures and attestations have tags made of the digest that
# they are about, and a second one is added under the same tag: those alone may change. What they say is checked, not trusted.
resource "aws_ecr_repository" "this" {
  for_each             = var.repositories
  name                 = each.key
  image_tag_mutability = "IMMUTABLE_WITH_EXCLUSION"
  image_tag_mutability_exclusion_filter {
    filter      = "sha256-*"
    filter_type = "WILDCARD"
  }
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }
}

locals {
  # What the pipeline pushes for one commit, each of which counts as an image: the list and an image for either processor,
  # a signature of each of the three, a list of parts of each image.
  pushed = 3 + 3 + 2
}

# Old images make room; those of the last releases stay, so that a rollback finds its own.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = var.repositories
  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "images without a tag, after two weeks"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "all but the last builds"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.builds_kept * local.pushed }
        action       = { type = "expire" }
      },
    ]
  })
}
