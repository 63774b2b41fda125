# What plugins/ and dags/ do, read from the code.
data "aws_iam_policy_document" "dags" {
  #checkov:skip=CKV_AWS_356:The one statement on all resources is PutMetricData, which has no resource level; its namespace is bound.
  #checkov:skip=CKV_AWS_111:As above.

  statement {
    sid       = "StartAndListJobRuns"
    actions   = ["emr-serverless:StartJobRun", "emr-serverless:ListJobRuns"]
    resources = [var.application]
  }

  statement {
    sid       = "FollowCancelAndTagJobRuns"
    actions   = ["emr-serverless:GetJobRun", "emr-serverless:CancelJobRun", "emr-serverless:TagResource"]
    resources = ["${var.application}/jobruns/*"]
  }

  # Tags are part of StartJobRun: AWS asks for TagResource on the application then.
  statement {
    sid       = "TagWhatItStarts"
    actions   = ["emr-serverless:TagResource"]
    resources = [var.application]
  }

  statement {
    sid       = "GiveJobRunsTheirRole"
    actions   = ["iam:PassRole"]
    resources = var.job_roles
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["emr-serverless.amazonaws.com"]
    }
  }

  statement {
    sid       = "ReadLogsOfJobRuns"
    actions   = ["s3:GetObject"]
    resources = ["${var.logs}/*"]
  }

  # As for jobs: without it, "not there" would be 403.
  statement {
    sid       = "SeeWhatIsThere"
    actions   = ["s3:ListBucket"]
    resources = [var.lake, var.logs]
  }

  statement {
    sid       = "ReadStateInLake"
    actions   = ["s3:GetObject"]
    resources = [for prefix in var.lake_prefixes.read : "${var.lake}/${prefix}*"]
  }

  statement {
    sid       = "WriteStateInLake"
    actions   = ["s3:PutObject"]
    resources = [for prefix in var.lake_prefixes.write : "${var.lake}/${prefix}*"]
  }

  statement {
    sid       = "CloseAlerts"
    actions   = ["s3:DeleteObject"]
    resources = ["${var.lake}/ops/alerts/*"]
  }

  statement {
    sid       = "UseKeysThroughS3"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.data_key, var.operations_key]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "TellPeople"
    actions   = ["sns:Publish"]
    resources = var.topics
  }

  statement {
    sid       = "EncryptAlerts"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.alerts_key]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["sns.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "SendFigures"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # it has no resource level
    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = ["Sluice"]
    }
  }

  # The emergency stop pauses DAGs through Airflow's own API, in Airflow's role Op.
  statement {
    sid       = "PauseDags"
    actions   = ["airflow:InvokeRestApi"]
    resources = ["${local.arn}:airflow:${local.region}:${local.account}:role/${var.project}/Op"]
  }
}
