locals {
  # Each with who needs it.
  interfaces = {
    "airflow.api"    = "MWAA's own parts"
    "airflow.env"    = "MWAA's workers; the task that pauses DAGs"
    "emr-serverless" = "Airflow starts and watches job runs; jobs ask whether a lease's owner lives"
    "glue"           = "registration of tables"
    "kms"            = "MWAA's queue and whoever reads what a key encrypts"
    "logs"           = "MWAA's logs"
    "monitoring"     = "figures"
    "secretsmanager" = "credentials of sources"
    "sns"            = "alerts"
    "sqs"            = "MWAA's Celery queue"
    "sts"            = "roles of tasks and jobs"
  }
  endpoint_subnets = [for zone in slice(var.zones, 0, min(var.endpoint_zones, length(var.zones))) : aws_subnet.private[zone].id]
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.own.id
  service_name      = "com.amazonaws.${data.aws_region.here.name}.s3"
  vpc_endpoint_type = "Gateway" # costs nothing
  route_table_ids   = [aws_route_table.private.id]
  tags              = { Name = "${var.project}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = local.interfaces
  vpc_id              = aws_vpc.own.id
  service_name        = "com.amazonaws.${data.aws_region.here.name}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = local.endpoint_subnets
  security_group_ids  = [aws_security_group.endpoints.id]
  tags                = { Name = "${var.project}-${each.key}" }
}
