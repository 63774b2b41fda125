resource "aws_security_group" "work" {
  #checkov:skip=CKV2_AWS_5:Other modules attach it: jobs and Airflow run in it.
  name        = "${var.project}-work"
  description = "Spark drivers, executors and Airflow"
  vpc_id      = aws_vpc.own.id
}

resource "aws_security_group" "endpoints" {
  name        = "${var.project}-endpoints"
  description = "AWS endpoints"
  vpc_id      = aws_vpc.own.id
}

resource "aws_vpc_security_group_ingress_rule" "work_to_endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  referenced_security_group_id = aws_security_group.work.id
  description                  = "TLS from jobs and Airflow"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# Drivers and executors talk on ports of their own choice; so do Airflow's parts.
resource "aws_vpc_security_group_ingress_rule" "work_among_itself" {
  security_group_id            = aws_security_group.work.id
  referenced_security_group_id = aws_security_group.work.id
  description                  = "drivers with executors, Airflow's parts among themselves"
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "work_among_itself" {
  security_group_id            = aws_security_group.work.id
  referenced_security_group_id = aws_security_group.work.id
  description                  = "drivers with executors, Airflow's parts among themselves"
  ip_protocol                  = "-1"
}

resource "aws_vpc_security_group_egress_rule" "work_to_endpoints" {
  security_group_id            = aws_security_group.work.id
  referenced_security_group_id = aws_security_group.endpoints.id
  description                  = "TLS to AWS"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "work_to_s3" {
  security_group_id = aws_security_group.work.id
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  description       = "TLS to S3"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "work_to_sources" {
  for_each          = var.way_to_sources ? toset([for port in var.source_ports : tostring(port)]) : toset([])
  security_group_id = aws_security_group.work.id
  cidr_ipv4         = "0.0.0.0/0" # sources have no fixed addresses
  description       = "sources on the internet"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.value)
  to_port           = tonumber(each.value)
}
