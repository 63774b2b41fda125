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
  project      = "sluice"
  company      = "your-company"
  environment  = "prod"
  repository   = "your-company/sluice"
  state_bucket = "your-company-terraform-state-prod"
  query_policy = "arn:aws:iam::123456789012:policy/sluice-query"
}

run "only_the_approved_environment_deploys_and_pull_requests_look" {
  command = plan
  module {
    source = "./modules/cicd"
  }

  assert {
    condition     = jsondecode(aws_iam_role.of["deploy"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:your-company/sluice:environment:prod"
    error_message = "a job without the environment's approval may deploy"
  }
  assert {
    condition     = jsondecode(aws_iam_role.of["plan"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:your-company/sluice:pull_request"
    error_message = "others than pull requests may plan"
  }
  assert {
    condition     = !anytrue([for statement in jsondecode(aws_iam_role_policy.state["plan"].policy).Statement : contains(flatten([statement.Action]), "s3:PutObject") && statement.Sid != "Lock"])
    error_message = "a plan may write the state"
  }
}

run "a_deployment_reads_no_secret_and_no_data_and_changes_no_role_of_its_own" {
  command = plan
  module {
    source = "./modules/cicd"
  }

  assert {
    condition     = !strcontains(join("", values(output.policies["deploy"])), "GetSecretValue") && !strcontains(join("", values(output.policies["deploy"])), "data-lake")
    error_message = "a deployment may read secrets or the lake"
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.of : !startswith(role.name, "sluice-")])
    error_message = "a deployment may change its own role"
  }
  assert {
    condition = alltrue([for statement in jsondecode(output.policies["deploy"]["platform"]).Statement :
      alltrue([for resource in flatten([statement.Resource]) : endswith(resource, ":role/sluice-*") || endswith(resource, ":policy/sluice-query") || endswith(resource, ":role/aws-service-role/*")])
      if anytrue([for action in flatten([statement.Action]) : can(regex("^iam:[^GL]", action))])
    ])
    error_message = "a deployment may change roles of others"
  }
}

run "policies_are_not_longer_than_iam_takes" {
  command = plan
  module {
    source = "./modules/cicd"
  }

  # A role's own policies may have 10,240 characters together, spaces not counted.
  assert {
    condition     = sum([for policy in output.policies["deploy"] : length(replace(policy, "/\\s/", ""))]) < 10240 - 1500
    error_message = "IAM refuses the policies: they are too long"
  }
}
