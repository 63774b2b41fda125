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
  project = "sluice"
}

run "keys_rotate_and_only_named_services_use_them" {
  command = plan
  module {
    source = "./modules/keys"
  }

  assert {
    condition     = alltrue([for key in aws_kms_key.of : key.enable_key_rotation && key.deletion_window_in_days == 30])
    error_message = "a key does not rotate, or goes too soon"
  }
  assert {
    condition     = length(jsondecode(aws_kms_key.of["data"].policy).Statement) == 1
    error_message = "somebody besides this account's own policies may use the key of data"
  }
  assert {
    condition = alltrue(flatten([for key in aws_kms_key.of : [
      for statement in jsondecode(key.policy).Statement : can(statement.Condition) if can(statement.Principal.Service)
    ]]))
    error_message = "a service may use a key for another account"
  }
}

run "a_key_is_not_lost_in_less_than_a_week" {
  command = plan
  module {
    source = "./modules/keys"
  }

  variables {
    deletion_days = 3
  }
  expect_failures = [var.deletion_days]
}
