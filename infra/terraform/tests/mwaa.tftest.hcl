# Plans with the real provider and no AWS: policies are documents that the provider makes by itself.
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

override_data {
  target = data.aws_caller_identity.here
  values = { account_id = "123456789012", id = "123456789012", arn = "arn:aws:iam::123456789012:user/test", user_id = "test" }
}

variables {
  project            = "sluice"
  size               = { class = "mw1.small", min_workers = 1, max_workers = 2, webservers = 2, schedulers = 2 }
  subnets            = ["subnet-1", "subnet-2"]
  security_group     = "sg-1"
  artefacts          = { dags = "dags", requirements = "airflow/requirements.txt", plugins = "airflow/plugins.zip", plugins_version = "v1", startup = "airflow/startup.sh", startup_version = "v2" }
  job_roles          = ["arn:aws:iam::123456789012:role/sluice-job"]
  topics             = ["arn:aws:sns:us-east-1:123456789012:sluice-alerts-low"]
  log_retention_days = 14
  lake               = "arn:aws:s3:::lake"
  code               = "arn:aws:s3:::code"
  logs               = "arn:aws:s3:::logs"
  application        = "arn:aws:emr-serverless:us-east-1:123456789012:/applications/00abc"
  data_key           = "arn:aws:kms:us-east-1:123456789012:key/data"
  operations_key     = "arn:aws:kms:us-east-1:123456789012:key/operations"
  alerts_key         = "arn:aws:kms:us-east-1:123456789012:key/alerts"
}

override_resource {
  target          = aws_iam_role.airflow
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/sluice-airflow" }
}

run "environment_is_the_tested_one_and_takes_named_versions" {
  command = plan
  module {
    source = "./modules/mwaa"
  }

  assert {
    condition     = aws_mwaa_environment.own[0].airflow_version == "3.2.1" && aws_mwaa_environment.own[0].kms_key == var.operations_key
    error_message = "another Airflow, or a key that can't open the code bucket"
  }
  assert {
    condition     = aws_mwaa_environment.own[0].plugins_s3_object_version == "v1" && aws_mwaa_environment.own[0].startup_script_s3_object_version == "v2"
    error_message = "a change of plugins or settings would not reach Airflow"
  }
  assert {
    condition     = aws_mwaa_environment.own[0].airflow_configuration_options["core.dags_are_paused_at_creation"] == "True"
    error_message = "a DAG's first sight would start its runs"
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.of : group.retention_in_days == 14 && startswith(group.name, "airflow-sluice-")])
    error_message = "MWAA writes into other groups, or logs stay for ever"
  }
}

run "environment_can_be_left_out_and_its_role_stays" {
  command = plan
  module {
    source = "./modules/mwaa"
  }

  variables {
    create = false
  }
  assert {
    condition     = length(aws_mwaa_environment.own) == 0 && aws_iam_role.airflow.name == "sluice-airflow" && output.environment == "sluice"
    error_message = "without the environment its role or name is gone too"
  }
}

run "dags_pass_only_the_jobs_role_and_only_to_emr_serverless" {
  command = plan
  module {
    source = "./modules/mwaa"
  }

  assert {
    condition = alltrue([for statement in jsondecode(output.policies["dags"]).Statement :
      flatten([statement.Resource]) == ["arn:aws:iam::123456789012:role/sluice-job"] && statement.Condition.StringEquals["iam:PassedToService"] == "emr-serverless.amazonaws.com"
      if contains(flatten([statement.Action]), "iam:PassRole")
    ])
    error_message = "a DAG may give a job another role"
  }
  assert {
    condition     = length([for statement in jsondecode(output.policies["dags"]).Statement : statement if contains(flatten([statement.Action]), "iam:PassRole")]) == 1
    error_message = "there is not exactly one statement that passes a role"
  }
  assert {
    condition     = !strcontains(output.policies["dags"], "secretsmanager") && !strcontains(output.policies["dags"], "/silver/")
    error_message = "Airflow may read secrets or tables, which only jobs read"
  }
  assert {
    condition     = toset([for statement in jsondecode(output.policies["dags"]).Statement : statement.Sid if contains(flatten([statement.Resource]), "*")]) == toset(["SendFigures"])
    error_message = "a statement besides PutMetricData is on all resources"
  }
}

run "untested_airflow_is_refused" {
  command = plan
  module {
    source = "./modules/mwaa"
  }

  variables {
    airflow_version = "2.10.3"
  }
  expect_failures = [var.airflow_version]
}

run "policies_are_not_longer_than_iam_takes" {
  command = plan
  module {
    source = "./modules/mwaa"
  }

  # A role's own policies may have 10,240 characters together, spaces not counted.
  assert {
    condition     = sum([for policy in output.policies : length(replace(policy, "/\\s/", ""))]) < 10240
    error_message = "IAM refuses the policies: they are too long"
  }
}
