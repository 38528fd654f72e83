# The one file to edit. Secrets are not here but in TF_VAR_…: see ../../README.md. What else can be set: variables*.tf.
prefix      = "weir-prod"
environment = "production"
protected   = true

region     = "eu-central-1"
account_id = "123456789012"
zones      = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
cidr       = "10.20.0.0/16"

certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
repository_arns = ["arn:aws:ecr:eu-central-1:123456789012:repository/weir", "arn:aws:ecr:eu-central-1:123456789012:repository/weir-backend"]

weir = {
  image     = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/weir:0.7.0"
  min_tasks = 3
}
backend = {
  image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/weir-backend:1.0.0"
}

# What the backend bears, by a load test; see docs/capacity.md.
origin_capacity = "500/s"
# Look first (observe); one by one to "refuse" once a limit hurts nobody you know: docs/deploy.md, step 13.
limits = {
  per-client = { rate = "10/s", burst = 100, action = "observe" }
  login      = { rate = "6/m", burst = 5, action = "observe", path = "/login", method = ["POST"] }
}

config_kind    = "appconfig"
retention_days = 365
monthly_budget = 1500
mail           = ["oncall@example.com"]
