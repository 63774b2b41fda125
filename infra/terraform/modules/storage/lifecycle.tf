# No rule moves or deletes what lies below a table's folder: a Delta log names its files, wherever S3 has put them, and
# only VACUUM knows which are unused. What goes by age is outside of tables.
locals {
  expiries = {
    # Parts of an interrupted read: the next one begins again without them. Lineage: the commits say the same for good.
    lake    = { "_staging/" = 7, "ops/openlineage/" = 90 }
    code    = { "logs/" = var.log_retention_days } # where release 0.1.0 put job runs' logs
    logs    = { "" = var.log_retention_days }
    landing = { "" = var.landing_retention_days }
    reports = { "athena/" = 30 }
    access  = { "" = 90 }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "of" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.of[each.key].id

  rule {
    id     = "abort-unfinished-uploads"
    status = "Enabled"
    filter {
      prefix = ""
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }

  dynamic "rule" {
    for_each = local.expiries[each.key]
    content {
      id     = "expire-${rule.key == "" ? "all" : trim(rule.key, "/_")}"
      status = "Enabled"
      filter {
        prefix = rule.key
      }
      expiration {
        days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = each.value.versioned ? [1] : []
    content {
      id     = "forget-earlier-contents"
      status = "Enabled"
      filter {
        prefix = ""
      }
      noncurrent_version_expiration {
        noncurrent_days = 90
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.of]
}
