data "aws_iam_policy_document" "job" {
  #checkov:skip=CKV_AWS_356:The one statement on all resources is PutMetricData, which has no resource level; its namespace is bound.
  #checkov:skip=CKV_AWS_111:As above.
  for_each = local.kinds

  # Without it S3 answers 403 and not 404 for an object that is not there, and every "not yet" would be an error. No
  # condition on prefixes: such an answer has none to compare.
  statement {
    sid       = "SeeWhatIsThere"
    actions   = ["s3:ListBucket"]
    resources = [var.lake, var.code]
  }

  statement {
    sid       = "ReadRelease"
    actions   = ["s3:GetObject"]
    resources = ["${var.code}/releases/*"]
  }

  statement {
    sid       = "WriteOwnLogs"
    actions   = ["s3:PutObject"]
    resources = ["${var.logs}/applications/${split("/", var.application)[2]}/*"]
  }

  # Before S3A makes a table's folder it asks for an object of the layer's own name.
  statement {
    sid       = "ReadLake"
    actions   = ["s3:GetObject"]
    resources = [for prefix in concat([for prefix in each.value.read : "${prefix}*"], each.value.makes) : "${var.lake}/${prefix}"]
  }

  # Conditional PUTs need nothing more. Every job tells of its lineage. Uploads in parts: AbortMultipartUpload.
  statement {
    sid       = "WriteLake"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = [for prefix in concat(each.value.write, ["ops/openlineage/"]) : "${var.lake}/${prefix}*"]
  }

  dynamic "statement" {
    for_each = length(each.value.delete) > 0 ? [1] : []
    content {
      sid       = "DeleteFromLake"
      actions   = ["s3:DeleteObject"]
      resources = [for prefix in each.value.delete : "${var.lake}/${prefix}*"]
    }
  }

  statement {
    sid       = "UseKeysThroughS3"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = values(local.of_keys)
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [local.via_s3]
    }
  }

  dynamic "statement" {
    for_each = length(each.value.secrets) > 0 ? [1] : []
    content {
      sid       = "ReadCredentials"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [for system in each.value.secrets : var.secrets[system]]
    }
  }

  dynamic "statement" {
    for_each = length(each.value.secrets) > 0 ? [1] : []
    content {
      sid       = "OpenCredentials"
      actions   = ["kms:Decrypt"]
      resources = [var.secrets_key]
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${local.region}.amazonaws.com"]
      }
    }
  }

  # Databases are made by Terraform, so that no job may make or delete one.
  dynamic "statement" {
    for_each = length(each.value.catalog) > 0 ? [1] : []
    content {
      sid       = "SeeDatabases"
      actions   = ["glue:GetDatabase"]
      resources = concat(["${local.of_table}:catalog"], [for layer in each.value.catalog : "${local.of_table}:database/${layer}"])
    }
  }

  dynamic "statement" {
    for_each = length(each.value.catalog) > 0 ? [1] : []
    content {
      sid     = "RegisterTables"
      actions = concat(["glue:GetTable", "glue:CreateTable", "glue:UpdateTable"], each.value.lists ? ["glue:GetTables"] : [])
      resources = concat(
        ["${local.of_table}:catalog"],
        [for layer in each.value.catalog : "${local.of_table}:database/${layer}"],
        [for layer in each.value.catalog : "${local.of_table}:table/${layer}/*"],
      )
    }
  }

  # Whether the owner of a silent lease still lives.
  dynamic "statement" {
    for_each = each.value.runs ? [1] : []
    content {
      sid       = "SeeJobRuns"
      actions   = ["emr-serverless:ListJobRuns"]
      resources = [var.application]
    }
  }

  # The report adds up what they cost.
  dynamic "statement" {
    for_each = each.value.alerts ? [1] : []
    content {
      sid       = "SeeWhatJobRunsTook"
      actions   = ["emr-serverless:GetJobRun"]
      resources = ["${var.application}/jobruns/*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.figures ? [1] : []
    content {
      sid       = "SendFigures"
      actions   = ["cloudwatch:PutMetricData"]
      resources = ["*"] # it has no resource level
      condition {
        test     = "StringEquals"
        variable = "cloudwatch:namespace"
        values   = ["Sluice"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.value.alerts ? [1] : []
    content {
      sid       = "TellPeople"
      actions   = ["sns:Publish"]
      resources = [for topic in var.topics : topic if endswith(topic, "-low")] # a report calls nobody at night
    }
  }

  dynamic "statement" {
    for_each = each.value.alerts ? [1] : []
    content {
      sid       = "EncryptAlerts"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.alerts_key]
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sns.${local.region}.amazonaws.com"]
      }
    }
  }
}
