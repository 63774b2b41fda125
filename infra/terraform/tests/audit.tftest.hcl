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
  project           = "sluice"
  bucket_name       = "your-company-audit-prod"
  key               = "arn:aws:kms:us-east-1:123456789012:key/audit"
  locked            = true
  access_log_bucket = "your-company-access-logs-prod"
  watched           = { lake = "arn:aws:s3:::lake" }
}

run "every_read_and_write_of_the_lake_is_kept_for_six_years" {
  command = plan
  module {
    source = "./modules/audit"
  }

  assert {
    condition     = output.kept_days >= 6 * 365 && one(one(aws_s3_bucket_object_lock_configuration.trail[0].rule).default_retention).days == output.kept_days
    error_message = "the trail goes too soon, or can be deleted"
  }
  assert {
    condition     = anytrue([for selector in aws_cloudtrail.data.advanced_event_selector : anytrue([for field in selector.field_selector : field.field == "resources.ARN" && field.starts_with == tolist(["arn:aws:s3:::lake/"])])])
    error_message = "nobody records who read the lake"
  }
  assert {
    condition     = aws_cloudtrail.data.enable_log_file_validation && aws_cloudtrail.data.kms_key_id == var.key
    error_message = "the trail could be changed unseen"
  }
}

run "less_than_six_years_is_refused" {
  command = plan
  module {
    source = "./modules/audit"
  }

  variables {
    retention_years = 5
  }
  expect_failures = [var.retention_years]
}
