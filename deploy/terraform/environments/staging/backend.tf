# The state, in a bucket of its own (versioned, encrypted), locked by a file beside it. The bucket's name differs from
# account to account: terraform init -backend-config="bucket=NAME" -backend-config="region=REGION"
terraform {
  backend "s3" {
    key          = "weir/staging.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
