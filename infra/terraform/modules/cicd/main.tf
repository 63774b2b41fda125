# Roles that GitHub's jobs take by OIDC: no key is stored anywhere. Their names don't begin with the project's name, so
# that a deployment, which may change the project's roles, can't change its own.
data "aws_caller_identity" "here" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

locals {
  account  = data.aws_caller_identity.here.account_id
  region   = data.aws_region.here.name
  arn      = "arn:${data.aws_partition.here.partition}"
  host     = "token.actions.githubusercontent.com"
  provider = "${local.arn}:iam::${local.account}:oidc-provider/${local.host}"
  # Who may take which role: a pull request may look, and the environment's approved job may change.
  subjects = {
    plan   = "repo:${var.repository}:pull_request"
    deploy = "repo:${var.repository}:environment:${var.environment}"
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count          = var.create_provider ? 1 : 0
  url            = "https://${local.host}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "of" {
  for_each             = local.subjects
  name                 = "github-${var.project}-${each.key}"
  description          = "GitHub Actions of ${var.repository}: ${each.key} of ${var.environment}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 7200 # seconds: MWAA takes up to 40 minutes to change
}

data "aws_iam_policy_document" "trust" {
  #checkov:skip=CKV_AWS_358:checkov can't follow each.value. The claim is the repository, then its environment or pull requests; a test holds it.
  for_each = local.subjects
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [local.provider]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.host}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.host}:sub"
      values   = [each.value]
    }
  }
}

# A plan reads how things are set, and no data: AWS keeps these lists of reading actions. What they lack is below.
resource "aws_iam_role_policy_attachment" "plan" {
  for_each   = toset(["SecurityAudit", "job-function/ViewOnlyAccess"])
  role       = aws_iam_role.of["plan"].name
  policy_arn = "${local.arn}:iam::aws:policy/${each.key}"
}

resource "aws_iam_role_policy" "state" {
  for_each = local.subjects
  name     = "state"
  role     = aws_iam_role.of[each.key].id
  policy   = data.aws_iam_policy_document.state[each.key].json
}

data "aws_iam_policy_document" "state" {
  for_each = local.subjects
  statement {
    sid       = "FindState"
    actions   = ["s3:ListBucket"]
    resources = ["${local.arn}:s3:::${var.state_bucket}"]
  }
  statement {
    sid       = each.key == "plan" ? "ReadState" : "ReadAndWriteState"
    actions   = each.key == "plan" ? ["s3:GetObject"] : ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.arn}:s3:::${var.state_bucket}/${var.environment}/terraform.tfstate"]
  }
  # A plan locks the state too.
  statement {
    sid       = "Lock"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.arn}:s3:::${var.state_bucket}/${var.environment}/terraform.tfstate.tflock"]
  }
}

# What AWS's lists lack of a plan's looks: whatever a deployment looks at, a plan does too.
resource "aws_iam_role_policy" "look" {
  name   = "look"
  role   = aws_iam_role.of["plan"].id
  policy = data.aws_iam_policy_document.look.json
}

data "aws_iam_policy_document" "look" {
  # A plan compares the start-up script with what is there.
  statement {
    sid       = "SeeStartupScript"
    actions   = ["s3:GetObject", "s3:GetObjectTagging"]
    resources = ["${local.arn}:s3:::${var.company}-code-bucket-${var.environment}/airflow/startup.sh"]
  }
  statement {
    sid       = "OpenStartupScript"
    actions   = ["kms:Decrypt"]
    resources = ["${local.arn}:kms:${local.region}:${local.account}:key/*"] # a key's id is drawn by KMS; the alias bounds it
    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = ["alias/${var.project}-operations"]
    }
  }
  statement {
    sid       = "SeeCatalog"
    actions   = ["glue:GetDatabase"]
    resources = ["${local.arn}:glue:${local.region}:${local.account}:catalog", "${local.arn}:glue:${local.region}:${local.account}:database/*"] # layers have no common prefix
  }
  statement {
    sid       = "SeeBudget"
    actions   = ["budgets:ViewBudget", "budgets:ListTagsForResource"]
    resources = ["${local.arn}:budgets::${local.account}:budget/${var.project}"]
  }
  statement {
    sid       = "SeeApplicationTags"
    actions   = ["emr-serverless:ListTagsForResource"]
    resources = ["${local.arn}:emr-serverless:${local.region}:${local.account}:/applications/*"] # ids are drawn
  }
  statement {
    sid       = "SeeNamedQueries"
    actions   = ["athena:GetNamedQuery"]
    resources = ["${local.arn}:athena:${local.region}:${local.account}:workgroup/${var.project}"]
  }
}
