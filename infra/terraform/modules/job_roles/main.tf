data "aws_caller_identity" "here" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

locals {
  account  = data.aws_caller_identity.here.account_id
  region   = data.aws_region.here.name
  arn      = "arn:${data.aws_partition.here.partition}"
  of_keys  = { data = var.data_key, operations = var.operations_key }
  names    = { for kind in keys(local.kinds) : kind => "${var.project}-job-${kind}" }
  via_s3   = "s3.${local.region}.amazonaws.com"
  of_table = "${local.arn}:glue:${local.region}:${local.account}"
}

resource "aws_iam_role" "job" {
  for_each             = local.kinds
  name                 = local.names[each.key]
  description          = "Job runs of ${var.project}: ${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 43200 # seconds: a job run may take 12 hours
}

resource "aws_iam_role_policy" "job" {
  for_each = local.kinds
  name     = "what-it-does"
  role     = aws_iam_role.job[each.key].id
  policy   = data.aws_iam_policy_document.job[each.key].json
}

# Only the own application may act as these roles, and only the own account's EMR Serverless.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["emr-serverless.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["${var.application}*"] # the application, or a job run of it
    }
  }
}
