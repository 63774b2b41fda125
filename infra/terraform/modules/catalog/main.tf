resource "aws_glue_catalog_database" "layer" {
  for_each     = toset(var.layers)
  name         = each.key
  description  = "The layer ${each.key} of ${var.project}"
  location_uri = "s3://${var.lake_bucket}/${each.key}/" # Trino and Spark refuse a database without one
}

resource "aws_athena_workgroup" "own" {
  name          = var.project
  description   = "Queries on the lake of ${var.project}"
  force_destroy = true # its history of queries is no data
  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_limit_gb * 1000000000
    engine_version {
      selected_engine_version = "Athena engine version 3"
    }
    result_configuration {
      output_location = var.results
      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.key
      }
    }
  }
}

locals {
  # First line of a block: its title. The rest, from the next line on: the statement.
  blocks  = regexall("(?s)```sql\n-- ([^\n]+)\n(.*?)\n```", var.runbook)
  queries = { for block in local.blocks : block[0] => block[1] }
}

resource "aws_athena_named_query" "runbook" {
  for_each    = local.queries
  name        = each.key
  description = "Of the runbook"
  workgroup   = aws_athena_workgroup.own.id
  database    = aws_glue_catalog_database.layer[var.layers[0]].name # each names its tables in full
  query       = each.value
}
