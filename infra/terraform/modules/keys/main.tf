# One key for each kind of content, so that who may read logs need not be able to read data.
data "aws_caller_identity" "here" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

locals {
  account   = data.aws_caller_identity.here.account_id
  region    = data.aws_region.here.name
  partition = data.aws_partition.here.partition
  # Services that use a key by themselves. All other use goes through the policies of roles.
  services = {
    data       = {}
    secrets    = {}
    operations = { logs = "logs.${local.region}.amazonaws.com" }
    alerts     = { alarms = "cloudwatch.amazonaws.com", topics = "sns.amazonaws.com" }
    audit      = { trail = "cloudtrail.amazonaws.com" }
  }
  says = {
    data       = "rows: the lake, landed files, reports and query results"
    secrets    = "passwords of sources"
    operations = "code, logs and Airflow"
    alerts     = "topics and queues of alerts"
    audit      = "who read and wrote what"
  }
}

resource "aws_kms_key" "of" {
  for_each                = local.services
  description             = "${var.project}: ${local.says[each.key]}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_days
  policy                  = data.aws_iam_policy_document.of[each.key].json
}

resource "aws_kms_alias" "of" {
  for_each      = local.services
  name          = "alias/${var.project}-${each.key}"
  target_key_id = aws_kms_key.of[each.key].key_id
}

data "aws_iam_policy_document" "of" {
  #checkov:skip=CKV_AWS_109:A key policy's resource is always this key; without the account's own statement no IAM policy counts.
  #checkov:skip=CKV_AWS_111:As above.
  #checkov:skip=CKV_AWS_356:As above.
  for_each = local.services

  statement {
    sid       = "PoliciesOfThisAccountDecide"
    actions   = ["kms:*"]
    resources = ["*"] # in a key policy: this key
    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account}:root"]
    }
  }

  dynamic "statement" {
    for_each = each.value
    content {
      sid       = "Service${title(statement.key)}"
      actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      resources = ["*"] # in a key policy: this key
      principals {
        type        = "Service"
        identifiers = [statement.value]
      }
      # Log groups name themselves in the encryption context; all other services name the account that they act for.
      dynamic "condition" {
        for_each = statement.key == "logs" ? [] : [local.account]
        content {
          test     = "StringEquals"
          variable = "aws:SourceAccount"
          values   = [condition.value]
        }
      }
      dynamic "condition" {
        for_each = statement.key == "logs" ? [local.account] : []
        content {
          test     = "ArnLike"
          variable = "kms:EncryptionContext:aws:logs:arn"
          values   = ["arn:${local.partition}:logs:${local.region}:${condition.value}:log-group:*"]
        }
      }
    }
  }
}
