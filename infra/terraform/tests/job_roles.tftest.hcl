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
  project        = "sluice"
  lake           = "arn:aws:s3:::lake"
  code           = "arn:aws:s3:::code"
  logs           = "arn:aws:s3:::logs"
  application    = "arn:aws:emr-serverless:us-east-1:123456789012:/applications/00abc"
  data_key       = "arn:aws:kms:us-east-1:123456789012:key/data"
  operations_key = "arn:aws:kms:us-east-1:123456789012:key/operations"
  secrets_key    = "arn:aws:kms:us-east-1:123456789012:key/secrets"
  alerts_key     = "arn:aws:kms:us-east-1:123456789012:key/alerts"
  secrets = {
    kafka      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sluice/kafka/credentials-a"
    salesforce = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sluice/salesforce/credentials-a"
    snowflake  = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sluice/snowflake/credentials-a"
  }
  topics = ["arn:aws:sns:us-east-1:123456789012:sluice-alerts-low"]
}

run "only_this_application_acts_as_a_job" {
  command = plan
  module {
    source = "./modules/job_roles"
  }

  assert {
    condition     = jsondecode(aws_iam_role.job["gold"].assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == "${var.application}*"
    error_message = "another application may take the role"
  }
}

run "each_kind_has_its_own_and_no_more" {
  command = plan
  module {
    source = "./modules/job_roles"
  }

  assert {
    condition     = toset(keys(aws_iam_role.job)) == toset(["sources", "silver", "gate", "gold", "register", "stream", "housekeeping", "report", "operations", "canary"])
    error_message = "a kind of job has no role"
  }
  assert {
    condition     = alltrue([for kind, role in aws_iam_role.job : output.pattern == "arn:aws:iam::123456789012:role/sluice-job-{kind}" && role.name == "sluice-job-${kind}"])
    error_message = "DAGs would name roles that are not there"
  }
  assert {
    condition     = toset([for kind, policy in output.policies : kind if strcontains(policy, "secret:sluice/kafka")]) == toset(["stream", "operations"])
    error_message = "who does not read Kafka has its password"
  }
  assert {
    condition     = toset([for kind, policy in output.policies : kind if strcontains(policy, "secret:sluice/s")]) == toset(["sources"])
    error_message = "who does not read Salesforce and Snowflake has their passwords"
  }
  assert {
    condition = toset([for kind, policy in output.policies : kind if anytrue([
      for statement in jsondecode(policy).Statement : contains(flatten([statement.Resource]), "arn:aws:s3:::lake/gold/*") if statement.Sid == "WriteLake"
    ])]) == toset(["gold", "housekeeping", "operations"])
    error_message = "who does not build gold may write it"
  }
  assert {
    condition     = toset([for kind, policy in output.policies : kind if strcontains(policy, "glue:UpdateTable")]) == toset(["register", "stream", "housekeeping", "operations", "canary"])
    error_message = "who registers nothing may change the catalog"
  }
}

run "all_resources_are_named_where_aws_has_names" {
  command = plan
  module {
    source = "./modules/job_roles"
  }

  assert {
    condition = alltrue(flatten([for policy in output.policies : [
      for statement in jsondecode(policy).Statement : statement.Sid == "SendFigures" && statement.Condition.StringEquals["cloudwatch:namespace"] == "Sluice" if contains(flatten([statement.Resource]), "*")
    ]]))
    error_message = "a statement besides PutMetricData is on all resources"
  }
  assert {
    condition     = alltrue(flatten([for policy in output.policies : [for statement in jsondecode(policy).Statement : [for action in flatten([statement.Action]) : !strcontains(action, "*")]]]))
    error_message = "an action is a wildcard"
  }
}

run "policies_are_not_longer_than_iam_takes" {
  command = plan
  module {
    source = "./modules/job_roles"
  }

  # A role's own policies may have 10,240 characters together, spaces not counted.
  assert {
    condition     = alltrue([for policy in output.policies : length(replace(policy, "/\\s/", "")) < 10240])
    error_message = "IAM refuses the policies: they are too long"
  }
}
