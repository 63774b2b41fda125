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
  project        = "sluice"
  subnets        = ["subnet-1", "subnet-2"]
  security_group = "sg-1"
  maximum        = { vcpu = 32, memory = 128, disk = 400 }
}

run "it_is_the_pinned_release_stops_by_itself_and_has_a_limit" {
  command = plan
  module {
    source = "./modules/emr_serverless"
  }

  assert {
    condition     = aws_emrserverless_application.own.release_label == "emr-spark-8.1.0" && aws_emrserverless_application.own.architecture == "ARM64"
    error_message = "jobs are tested on another release"
  }
  assert {
    condition     = one(aws_emrserverless_application.own.auto_stop_configuration).enabled && one(aws_emrserverless_application.own.auto_stop_configuration).idle_timeout_minutes == 15
    error_message = "an idle application is billed for ever"
  }
  assert {
    condition     = one(aws_emrserverless_application.own.maximum_capacity).cpu == "32 vCPU"
    error_message = "nothing bounds the bill"
  }
  assert {
    condition     = length(aws_emrserverless_application.own.initial_capacity) == 0
    error_message = "workers are kept ready that nobody asked for"
  }
}

run "workers_are_kept_ready_when_asked" {
  command = plan
  module {
    source = "./modules/emr_serverless"
  }

  variables {
    ready = { Driver = { count = 2, vcpu = 2, memory = 4 }, Executor = { count = 4, vcpu = 4, memory = 8 } }
  }
  assert {
    condition     = toset([for kind in aws_emrserverless_application.own.initial_capacity : kind.initial_capacity_type]) == toset(["Driver", "Executor"])
    error_message = "the runbook's ready workers are missing"
  }
}

run "kinds_of_workers_are_spark_s" {
  command = plan
  module {
    source = "./modules/emr_serverless"
  }

  variables {
    ready = { Reducer = { count = 1, vcpu = 2, memory = 4 } }
  }
  expect_failures = [var.ready]
}
