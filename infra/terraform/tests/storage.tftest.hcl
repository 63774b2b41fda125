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
  company            = "your-company"
  environment        = "prod"
  data_key           = "arn:aws:kms:us-east-1:123456789012:key/data"
  operations_key     = "arn:aws:kms:us-east-1:123456789012:key/operations"
  log_retention_days = 90
}

run "buckets_are_named_closed_encrypted_and_tls_only" {
  command = plan
  module {
    source = "./modules/storage"
  }

  assert {
    condition     = aws_s3_bucket.of["lake"].bucket == "your-company-data-lake-prod" && aws_s3_bucket.of["code"].bucket == "your-company-code-bucket-prod"
    error_message = "buckets do not have the runbook's names"
  }
  assert {
    condition = length(aws_s3_bucket_public_access_block.of) == 6 && alltrue([for block in aws_s3_bucket_public_access_block.of :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "a bucket can be made public"
  }
  assert {
    condition = alltrue([for name, encryption in aws_s3_bucket_server_side_encryption_configuration.of : one(one(encryption.rule).apply_server_side_encryption_by_default).sse_algorithm == (
      name == "access" ? "AES256" : "aws:kms"
    )])
    error_message = "a bucket is not encrypted by its own key"
  }
  assert {
    condition = length(aws_s3_bucket_policy.of) == 6 && alltrue([for document in data.aws_iam_policy_document.of : anytrue([
      for statement in jsondecode(document.json).Statement : statement.Effect == "Deny" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
    ])])
    error_message = "a bucket can be read without TLS"
  }
  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.of : !bucket.force_destroy])
    error_message = "destroy would delete data"
  }
}

run "delta_is_not_paid_for_twice_and_its_files_are_never_moved" {
  command = plan
  module {
    source = "./modules/storage"
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.of["lake"].versioning_configuration).status == "Suspended" && one(aws_s3_bucket_versioning.of["code"].versioning_configuration).status == "Enabled"
    error_message = "the lake is versioned, or code is not"
  }
  assert {
    condition     = toset(keys(output.expiries["lake"])) == toset(["_staging/", "ops/openlineage/"])
    error_message = "a rule deletes from the lake by age what only VACUUM may delete"
  }
  assert {
    condition     = alltrue(flatten([for bucket in aws_s3_bucket_lifecycle_configuration.of : [for rule in bucket.rule : length(rule.transition) == 0]]))
    error_message = "a rule moves files to another storage class"
  }
  assert {
    condition     = alltrue([for bucket in aws_s3_bucket_lifecycle_configuration.of : anytrue([for rule in bucket.rule : length(rule.abort_incomplete_multipart_upload) == 1])])
    error_message = "unfinished uploads stay for ever"
  }
}

run "data_of_prod_is_never_destroyed" {
  command = plan
  module {
    source = "./modules/storage"
  }

  variables {
    destroy_data = true
  }
  expect_failures = [var.destroy_data]
}
