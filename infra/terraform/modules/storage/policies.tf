data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}

locals {
  # From the names, so that a plan shows whole policies before there is a bucket.
  arns = { for kind, bucket in aws_s3_bucket.of : kind => "arn:${data.aws_partition.here.partition}:s3:::${bucket.bucket}" }
}

resource "aws_s3_bucket_policy" "of" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.of[each.key].id
  policy   = data.aws_iam_policy_document.of[each.key].json
  # Both change a bucket's access: S3 refuses them at the same moment.
  depends_on = [aws_s3_bucket_public_access_block.of]
}

data "aws_iam_policy_document" "of" {
  for_each = local.buckets

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [local.arns[each.key], "${local.arns[each.key]}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # Who names another key would leave objects that the readers of this bucket can't open.
  dynamic "statement" {
    for_each = each.value.key == null ? [] : [each.value.key]
    content {
      sid       = "OwnKeyOnly"
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = ["${local.arns[each.key]}/*"]
      principals {
        type        = "*"
        identifiers = ["*"]
      }
      condition {
        test     = "StringNotEquals"
        variable = "s3:x-amz-server-side-encryption-aws-kms-key-id"
        values   = [statement.value]
      }
      condition {
        test     = "Null"
        variable = "s3:x-amz-server-side-encryption-aws-kms-key-id"
        values   = ["false"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.key == "access" ? [1] : []
    content {
      sid       = "S3WritesAccessLogs"
      actions   = ["s3:PutObject"]
      resources = ["${local.arns["access"]}/*"]
      principals {
        type        = "Service"
        identifiers = ["logging.s3.amazonaws.com"]
      }
      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [data.aws_caller_identity.here.account_id]
      }
    }
  }
}
