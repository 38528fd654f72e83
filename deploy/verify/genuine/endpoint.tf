# Beside staging's own variables: where its AWS is.

variable "endpoint" {
  description = "Where moto listens."
  type        = string
}
