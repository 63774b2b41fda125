# For people who query: attach it to their role or permission set. They read through the workgroup, and nothing else.
data "aws_caller_identity" "here" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

locals {
  arn            = "arn:${data.aws_partition.here.partition}"
  here           = "${data.aws_region.here.name}:${data.aws_caller_identity.here.account_id}"
  lake           = "${local.arn}:s3:::${var.lake_bucket}"
  results        = "${local.arn}:s3:::${trimprefix(var.results, "s3://")}*"
  results_bucket = "${local.arn}:s3:::${split("/", trimprefix(var.results, "s3://"))[0]}"
}

resource "aws_iam_policy" "query" {
  name        = "${var.project}-query"
  description = "Queries on ${join(", ", var.asked_layers)} of ${var.project} through its workgroup"
  policy      = data.aws_iam_policy_document.query.json
}

data "aws_iam_policy_document" "query" {
  statement {
    sid       = "AskThroughTheWorkgroup"
    actions   = ["athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetWorkGroup", "athena:ListNamedQueries", "athena:GetNamedQuery"]
    resources = ["${local.arn}:athena:${local.here}:workgroup/${var.project}"]
  }

  statement {
    sid     = "SeeTables"
    actions = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"]
    resources = concat(
      ["${local.arn}:glue:${local.here}:catalog"],
      [for layer in var.asked_layers : "${local.arn}:glue:${local.here}:database/${layer}"],
      [for layer in var.asked_layers : "${local.arn}:glue:${local.here}:table/${layer}/*"],
    )
  }

  statement {
    sid       = "FindFiles"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [local.lake, local.results_bucket]
  }

  statement {
    sid       = "ReadTables"
    actions   = ["s3:GetObject"]
    resources = [for layer in var.asked_layers : "${local.lake}/${layer}/*"]
  }

  statement {
    sid       = "KeepResults"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = [local.results]
  }

  statement {
    sid       = "UseKeyThroughS3"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.key]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${data.aws_region.here.name}.amazonaws.com"]
    }
  }
}
