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
  project    = "sluice"
  vpc_id     = "vpc-1"
  subnets    = ["subnet-1", "subnet-2"]
  work_group = "sg-1"
}

run "an_existing_kafka_needs_nothing_here" {
  command = plan
  module {
    source = "./modules/streaming"
  }

  assert {
    condition     = length(aws_msk_serverless_cluster.own) == 0 && length(aws_security_group.brokers) == 0 && output.cluster_arn == null
    error_message = "a cluster was made that nobody asked for"
  }
}

run "a_cluster_takes_iam_log_ins_from_jobs_only" {
  command = plan
  module {
    source = "./modules/streaming"
  }

  variables {
    create_msk_serverless = true
  }
  assert {
    condition     = one(one(one(aws_msk_serverless_cluster.own[0].client_authentication).sasl).iam).enabled
    error_message = "MSK Serverless has no other log-in"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.work_to_brokers[0].referenced_security_group_id == "sg-1" && aws_vpc_security_group_ingress_rule.work_to_brokers[0].from_port == 9098
    error_message = "others than jobs reach the brokers"
  }
}
