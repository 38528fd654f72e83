provider "aws" {}

# Only planned: what nothing may destroy can't be cleaned up after a test.
run "safe" {
  command = plan
  assert {
    condition     = aws_s3_bucket.state.bucket == "weir-state-123456789012"
    error_message = "The name that the pipeline's roles know."
  }
  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "A state that was spoilt can be fetched back."
  }
  assert {
    condition     = alltrue([for one in aws_ecr_repository.this : startswith(one.image_tag_mutability, "IMMUTABLE") && one.image_scanning_configuration[0].scan_on_push])
    error_message = "Images are scanned and never overwritten."
  }
  assert {
    condition     = alltrue([for one in aws_ecr_repository.this : [for but in one.image_tag_mutability_exclusion_filter : but.filter] == ["sha256-*"]])
    error_message = "Only tags made of a digest, which signatures have, may be written again."
  }
  assert {
    condition     = alltrue([for one in aws_ecr_lifecycle_policy.this : jsondecode(one.policy).rules[1].selection.countNumber == 400])
    error_message = "Fifty builds stay, each with its two images, their list, signatures and lists of parts."
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key rotates by itself."
  }
}

run "refuses_odd_values" {
  command = plan
  variables {
    prefix       = "terraform"
    repositories = ["Weir"]
    builds_kept  = 1
  }
  expect_failures = [var.prefix, var.repositories, var.builds_kept]
}
