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
  project = "sluice"
  key     = "arn:aws:kms:us-east-1:123456789012:key/secrets"
}

run "secrets_have_the_names_that_jobs_ask_for" {
  command = plan
  module {
    source = "./modules/secrets"
  }

  assert {
    condition     = toset([for secret in aws_secretsmanager_secret.of : secret.name]) == toset(["sluice/kafka/credentials", "sluice/salesforce/credentials", "sluice/snowflake/credentials"])
    error_message = "jobs read <project>/<system>/credentials"
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.of : secret.kms_key_id == var.key && secret.recovery_window_in_days == 30])
    error_message = "a secret has another key, or is lost at once when it is removed"
  }
}
