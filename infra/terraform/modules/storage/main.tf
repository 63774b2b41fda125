locals {
  # versioned: earlier contents of an object stay. The lake's are not: Delta keeps a table's versions itself, so that
  # every file would be paid for twice.
  buckets = {
    lake    = { name = "${var.company}-data-lake-${var.environment}", key = var.data_key, versioned = false }
    code    = { name = "${var.company}-code-bucket-${var.environment}", key = var.operations_key, versioned = true }
    logs    = { name = "${var.company}-logs-${var.environment}", key = var.operations_key, versioned = false }
    landing = { name = "${var.company}-landing-${var.environment}", key = var.data_key, versioned = true }
    reports = { name = "${var.company}-reports-${var.environment}", key = var.data_key, versioned = false }
    # S3 writes its access logs with its own key only.
    access = { name = "${var.company}-access-logs-${var.environment}", key = null, versioned = false }
  }
}

resource "aws_s3_bucket" "of" {
  #checkov:skip=CKV_AWS_144:No second region. Bronze can be read again from its sources; docs/deployment.md says what a lost region means.
  #checkov:skip=CKV_AWS_145:The bucket of access logs alone has S3's own key, because S3 writes them with no other.
  #checkov:skip=CKV_AWS_21:Code and landing are versioned. Delta keeps the lake's versions itself; logs and reports are never overwritten.
  #checkov:skip=CKV_AWS_18:Access to all buckets is logged, but for the one that takes these logs.
  #checkov:skip=CKV2_AWS_62:Only the landing bucket has readers of events.
  #checkov:skip=CKV2_AWS_61:Each has a lifecycle, in lifecycle.tf.
  for_each      = local.buckets
  bucket        = each.value.name
  force_destroy = var.destroy_data
}

resource "aws_s3_bucket_versioning" "of" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.of[each.key].id
  versioning_configuration {
    status = each.value.versioned ? "Enabled" : "Suspended"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "of" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.of[each.key].id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = each.value.key == null ? "AES256" : "aws:kms"
      kms_master_key_id = each.value.key
    }
    bucket_key_enabled = each.value.key != null # one request to KMS for many objects
  }
}

resource "aws_s3_bucket_public_access_block" "of" {
  for_each                = local.buckets
  bucket                  = aws_s3_bucket.of[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "of" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.of[each.key].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_logging" "of" {
  for_each      = { for name, bucket in local.buckets : name => bucket if name != "access" }
  bucket        = aws_s3_bucket.of[each.key].id
  target_bucket = aws_s3_bucket.of["access"].id
  target_prefix = "${each.key}/"
  # S3 refuses a target that it may not write to.
  depends_on = [aws_s3_bucket_policy.of]
}

# A landed file is told to whoever listens. It is a nudge; the ledger of files is the truth.
resource "aws_s3_bucket_notification" "landing" {
  bucket      = aws_s3_bucket.of["landing"].id
  eventbridge = true
}
