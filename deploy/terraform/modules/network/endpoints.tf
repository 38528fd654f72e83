# AWS's services by private addresses: no NAT, and nothing that a task could leak data to.

data "aws_region" "this" {}
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.this.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  tags              = { Name = "${var.prefix}-s3" }
  # Images' layers, and buckets of this account: whoever takes a task over can copy nothing into a bucket of his own.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ImageLayers"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject"]
        Resource  = "arn:${data.aws_partition.this.partition}:s3:::prod-${data.aws_region.this.region}-starport-layer-bucket/*"
        # ECR signs these requests itself, so no principal can be named.
        Condition = { StringEquals = { "aws:SourceVpc" = aws_vpc.this.id } }
      },
      {
        Sid       = "OwnBuckets"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
        Resource  = "*"
        Condition = { StringEquals = {
          "aws:PrincipalAccount" = data.aws_caller_identity.this.account_id
          "aws:ResourceAccount"  = data.aws_caller_identity.this.account_id
        } }
      },
    ]
  })
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = var.interface_endpoints
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.this.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.this["endpoints"].id]
  tags                = { Name = "${var.prefix}-${each.key}" }
  # Through the endpoint one reaches what this account's principals may reach, and no other account's principals pass.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = ["${local.actions_of[each.key]}:*"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

locals {
  # An endpoint's name is not always that of the service's actions.
  actions_of = { for name in var.interface_endpoints : name => lookup({
    "ecr.api"       = "ecr"
    "ecr.dkr"       = "ecr"
    "monitoring"    = "cloudwatch"
    "appconfigdata" = "appconfig"
  }, name, name) }
}
