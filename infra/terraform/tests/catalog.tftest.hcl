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
  project     = "sluice"
  lake_bucket = "your-company-data-lake-dev"
  layers      = ["bronze", "silver", "gold", "quarantine", "ops"]
  results     = "s3://your-company-reports-dev/athena/"
  key         = "arn:aws:kms:us-east-1:123456789012:key/data"
  runbook     = "# Runbook\n\n```sql\n-- Orders by status\nSELECT 1\nFROM silver.orders\n```\n\n```bash\naws s3 ls\n```\n"
}

run "every_layer_has_a_database_with_its_place" {
  command = plan
  module {
    source = "./modules/catalog"
  }

  assert {
    condition     = alltrue([for name, database in aws_glue_catalog_database.layer : database.location_uri == "s3://your-company-data-lake-dev/${name}/"])
    error_message = "Trino and Spark refuse a database without a location"
  }
  assert {
    condition     = length(aws_glue_catalog_database.layer) == 5
    error_message = "a layer has no database"
  }
}

run "nobody_queries_past_the_workgroup" {
  command = plan
  module {
    source = "./modules/catalog"
  }

  variables {
    scan_limit_gb = 10
  }
  assert {
    condition     = one(aws_athena_workgroup.own.configuration).enforce_workgroup_configuration && one(aws_athena_workgroup.own.configuration).bytes_scanned_cutoff_per_query == 10000000000
    error_message = "a query may scan without limit, or write its results elsewhere"
  }
  assert {
    condition     = one(one(one(aws_athena_workgroup.own.configuration).result_configuration).encryption_configuration).kms_key_arn == var.key
    error_message = "results are not encrypted by the key of data"
  }
}

run "queries_of_the_runbook_have_names" {
  command = plan
  module {
    source = "./modules/catalog"
  }

  assert {
    condition     = aws_athena_named_query.runbook["Orders by status"].query == "SELECT 1\nFROM silver.orders"
    error_message = "the runbook's query is not there as it is written"
  }
}

run "runbook_without_queries_is_refused" {
  command = plan
  module {
    source = "./modules/catalog"
  }

  variables {
    runbook = "# Runbook"
  }
  expect_failures = [var.runbook]
}

run "people_query_and_write_nothing_but_results" {
  command = plan
  module {
    source = "./modules/catalog"
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_policy.query.policy).Statement : statement.Resource if contains(flatten([statement.Action]), "s3:PutObject")])) == toset(["arn:aws:s3:::your-company-reports-dev/athena/*"])
    error_message = "who queries may write elsewhere than results"
  }
  assert {
    condition     = !strcontains(aws_iam_policy.query.policy, "data-lake-dev/bronze") && !strcontains(aws_iam_policy.query.policy, "glue:Update")
    error_message = "who queries may read raw rows, or change the catalog"
  }
}
