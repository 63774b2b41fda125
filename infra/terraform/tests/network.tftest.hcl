# Plans with the real provider and no AWS: policies are documents that the provider makes by itself.
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

variables {
  project            = "sluice"
  cidr               = "10.40.0.0/16"
  zones              = ["us-east-1a", "us-east-1b"]
  endpoint_zones     = 1
  way_to_sources     = false
  log_group_key      = "arn:aws:kms:us-east-1:123456789012:key/operations"
  log_retention_days = 14
}

run "aws_is_reached_without_the_internet" {
  command = plan
  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_nat_gateway.own) == 0 && length(aws_internet_gateway.own) == 0 && length(aws_route.to_sources) == 0
    error_message = "there is a way to the internet that nobody asked for"
  }
  assert {
    condition     = length(aws_vpc_security_group_egress_rule.work_to_sources) == 0
    error_message = "jobs may go to the internet"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.map_public_ip_on_launch != true])
    error_message = "a private subnet gives public addresses"
  }
  assert {
    condition = toset(keys(aws_vpc_endpoint.interface)) == toset([
      "airflow.api", "airflow.env", "emr-serverless", "glue", "kms", "logs", "monitoring", "secretsmanager", "sns", "sqs", "sts",
    ])
    error_message = "an endpoint of a service that jobs or Airflow use is missing, or one too many is paid for"
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3 has the endpoint that costs nothing"
  }
}

run "sources_on_the_internet_are_reached_on_their_ports_only" {
  command = plan
  module {
    source = "./modules/network"
  }

  variables {
    way_to_sources = true
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_egress_rule.work_to_sources)) == toset(["443", "9092"])
    error_message = "jobs may go to other ports of the internet"
  }
  assert {
    condition     = length(aws_nat_gateway.own) == 1
    error_message = "nothing leads to the sources"
  }
}

run "mwaa_needs_two_zones" {
  command = plan
  module {
    source = "./modules/network"
  }

  variables {
    zones = ["us-east-1a"]
  }
  expect_failures = [var.zones]
}
