# What Amazon's documentation asks of an execution role, and no more.
data "aws_iam_policy_document" "mwaa" {
  #checkov:skip=CKV_AWS_356:Statements on all resources are actions without a resource level; each says so.
  #checkov:skip=CKV_AWS_111:As above.
  #checkov:skip=CKV_AWS_107:The actions are named one by one.

  statement {
    sid       = "OwnMetrics"
    actions   = ["airflow:PublishMetrics"]
    resources = [local.own]
  }

  statement {
    sid       = "ReadSourceBucket"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration", "s3:ListBucket", "s3:ListBucketVersions"]
    resources = [var.code, "${var.code}/*"]
  }

  statement {
    sid       = "SeePublicAccessBlock"
    actions   = ["s3:GetAccountPublicAccessBlock"]
    resources = ["*"] # it has no resource level
  }

  statement {
    sid       = "WriteOwnLogs"
    actions   = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:PutLogEvents", "logs:GetLogEvents", "logs:GetLogRecord", "logs:GetLogGroupFields", "logs:GetQueryResults"]
    resources = ["${local.arn}:logs:${local.region}:${local.account}:log-group:airflow-${var.project}-*"]
  }

  statement {
    sid       = "FindLogGroups"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["*"] # MWAA lists all groups
  }

  statement {
    sid       = "ServiceFigures"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"] # it has no resource level
    condition {
      test     = "StringLike"
      variable = "cloudwatch:namespace"
      values   = ["AmazonMWAA", "AWS/MWAA"]
    }
  }

  # The queue lies in an account of Amazon's, under a name that MWAA draws.
  statement {
    sid       = "CeleryQueue"
    actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:SendMessage"]
    resources = ["${local.arn}:sqs:${local.region}:*:airflow-celery-*"]
  }

  statement {
    sid       = "OwnKey"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt"]
    resources = [var.operations_key]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["sqs.${local.region}.amazonaws.com", "s3.${local.region}.amazonaws.com"]
    }
  }
}
