data "aws_caller_identity" "here" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

locals {
  account = data.aws_caller_identity.here.account_id
  region  = data.aws_region.here.name
  arn     = "arn:${data.aws_partition.here.partition}"
  own     = "${local.arn}:airflow:${local.region}:${local.account}:environment/${var.project}"
}

resource "aws_iam_role" "airflow" {
  name               = "${var.project}-airflow"
  description        = "Airflow of ${var.project}: scheduler, workers, triggerer, web server"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "airflow" {
  name   = "what-dags-do"
  role   = aws_iam_role.airflow.id
  policy = data.aws_iam_policy_document.dags.json
}

resource "aws_iam_role_policy" "mwaa" {
  name   = "what-mwaa-asks-for"
  role   = aws_iam_role.airflow.id
  policy = data.aws_iam_policy_document.mwaa.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [local.own]
    }
  }
}
