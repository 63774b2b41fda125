# What `terraform apply` and a release change. Secrets' values and the lake's objects are out of its reach.
locals {
  here    = "${local.region}:${local.account}"
  buckets = "${local.arn}:s3:::${var.company}-*-${var.environment}"
}

resource "aws_iam_role_policy" "deploy" {
  for_each = { data = data.aws_iam_policy_document.data_services.json, platform = data.aws_iam_policy_document.platform.json, release = data.aws_iam_policy_document.release.json }
  name     = each.key
  role     = aws_iam_role.of["deploy"].id
  policy   = each.value
}

data "aws_iam_policy_document" "release" {
  statement {
    sid       = "UploadRelease"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
    resources = [for prefix in ["releases", "airflow"] : "${local.arn}:s3:::${var.company}-code-bucket-${var.environment}/${prefix}/*"]
  }
  statement {
    sid       = "WriteStartupScript"
    actions   = ["s3:GetObjectTagging", "s3:PutObjectTagging", "s3:DeleteObjectVersion"]
    resources = ["${local.arn}:s3:::${var.company}-code-bucket-${var.environment}/airflow/*"]
  }
  statement {
    sid       = "EncryptRelease"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["${local.arn}:kms:${local.here}:key/*"] # a key's id is drawn by KMS; the alias bounds it
    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = ["alias/${var.project}-operations"]
    }
  }
  statement {
    sid       = "TryCanary"
    actions   = ["airflow:InvokeRestApi"]
    resources = ["${local.arn}:airflow:${local.here}:role/${var.project}/Op"]
  }
}

# A deployment reads its canary's row, as people query.
resource "aws_iam_role_policy_attachment" "query" {
  role       = aws_iam_role.of["deploy"].name
  policy_arn = var.query_policy
}

data "aws_iam_policy_document" "data_services" {
  statement {
    sid       = "Budget"
    actions   = ["budgets:ViewBudget", "budgets:ModifyBudget", "budgets:ListTagsForResource", "budgets:TagResource"]
    resources = ["${local.arn}:budgets::${local.account}:budget/${var.project}"]
  }
  statement {
    sid       = "Buckets"
    actions   = ["s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucket*", "s3:PutBucket*", "s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:GetAccelerateConfiguration"]
    resources = [local.buckets] # the bucket itself, and no object
  }
  statement {
    sid       = "Catalog"
    actions   = ["glue:CreateDatabase", "glue:UpdateDatabase", "glue:DeleteDatabase", "glue:GetDatabase"]
    resources = ["${local.arn}:glue:${local.here}:catalog", "${local.arn}:glue:${local.here}:database/*"] # layers have no common prefix
  }
  statement {
    sid       = "CatalogTags"
    actions   = ["glue:GetTags", "glue:TagResource"]
    resources = ["${local.arn}:glue:${local.here}:database/*"]
  }
  statement {
    sid       = "Athena"
    actions   = ["athena:CreateWorkGroup", "athena:UpdateWorkGroup", "athena:DeleteWorkGroup", "athena:GetWorkGroup", "athena:CreateNamedQuery", "athena:DeleteNamedQuery", "athena:GetNamedQuery", "athena:ListTagsForResource", "athena:TagResource"]
    resources = ["${local.arn}:athena:${local.here}:workgroup/${var.project}"]
  }
  statement {
    sid       = "SecretsWithoutTheirValues"
    actions   = ["secretsmanager:CreateSecret", "secretsmanager:UpdateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy", "secretsmanager:TagResource"]
    resources = ["${local.arn}:secretsmanager:${local.here}:secret:${var.project}/*"]
  }
  statement {
    sid       = "Trail"
    actions   = ["cloudtrail:CreateTrail", "cloudtrail:UpdateTrail", "cloudtrail:DeleteTrail", "cloudtrail:StartLogging", "cloudtrail:PutEventSelectors", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus", "cloudtrail:GetInsightSelectors", "cloudtrail:ListTags", "cloudtrail:AddTags"]
    resources = ["${local.arn}:cloudtrail:${local.here}:trail/${var.project}"]
  }
}

data "aws_iam_policy_document" "platform" {
  #checkov:skip=CKV_AWS_356:Statements on all resources are actions without a resource level, or calls that create what has no name yet; each says so.
  #checkov:skip=CKV_AWS_109:Roles: those of the project alone, and not this one. Keys: their policies are part of the deployment.
  #checkov:skip=CKV_AWS_111:As above.

  statement {
    sid       = "RolesOfTheProject"
    actions   = ["iam:CreateRole", "iam:UpdateRole", "iam:DeleteRole", "iam:GetRole", "iam:TagRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole"]
    resources = ["${local.arn}:iam::${local.account}:role/${var.project}-*"]
  }
  # A plan looks at the roles of GitHub's jobs as well. Whoever made them changes them: an administrator.
  statement {
    sid       = "SeeOwnRoles"
    actions   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"]
    resources = ["${local.arn}:iam::${local.account}:role/github-${var.project}-*"]
  }
  statement {
    sid       = "SeeGitHub"
    actions   = ["iam:GetOpenIDConnectProvider"]
    resources = [local.provider]
  }
  statement {
    sid       = "PolicyOfPeople"
    actions   = ["iam:CreatePolicy", "iam:DeletePolicy", "iam:GetPolicy", "iam:TagPolicy", "iam:GetPolicyVersion", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:ListPolicyVersions"]
    resources = ["${local.arn}:iam::${local.account}:policy/${var.project}-query"]
  }
  statement {
    sid       = "GiveServicesTheirRoles"
    actions   = ["iam:PassRole"]
    resources = ["${local.arn}:iam::${local.account}:role/${var.project}-*"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["airflow.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
    }
  }
  # AWS makes a service's own role when an account uses the service for the first time.
  statement {
    sid       = "LetServicesMakeTheirOwn"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["${local.arn}:iam::${local.account}:role/aws-service-role/*"]
    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["airflow.amazonaws.com", "ops.emr-serverless.amazonaws.com"]
    }
  }
  statement {
    sid       = "LetEmrServerlessJoinTheNetwork"
    actions   = ["ec2:CreateNetworkInterface"]
    resources = ["${local.arn}:ec2:${local.here}:network-interface/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:CalledViaLast"
      values   = ["ops.emr-serverless.amazonaws.com"]
    }
  }
  statement {
    sid       = "Airflow"
    actions   = ["airflow:CreateEnvironment", "airflow:UpdateEnvironment", "airflow:DeleteEnvironment", "airflow:GetEnvironment", "airflow:TagResource"]
    resources = ["${local.arn}:airflow:${local.here}:environment/${var.project}"]
  }
  statement {
    sid       = "EmrServerless"
    actions   = ["emr-serverless:UpdateApplication", "emr-serverless:DeleteApplication", "emr-serverless:GetApplication", "emr-serverless:TagResource", "emr-serverless:ListTagsForResource"]
    resources = ["${local.arn}:emr-serverless:${local.here}:/applications/*"] # ids are drawn
  }
  statement {
    sid       = "Keys"
    actions   = ["kms:CreateKey", "kms:CreateAlias", "kms:DeleteAlias", "kms:ListAliases", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:GetKeyRotationStatus", "kms:EnableKeyRotation", "kms:ListResourceTags", "kms:TagResource", "kms:ScheduleKeyDeletion", "kms:CreateGrant"]
    resources = ["*"] # a key has no name before it is made; none of these actions opens what a key encrypts
  }
  statement {
    sid       = "Topics"
    actions   = ["sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:Subscribe", "sns:Unsubscribe", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:ListTagsForResource", "sns:TagResource"]
    resources = ["${local.arn}:sns:${local.here}:${var.project}-alerts-*"]
  }
  statement {
    sid       = "Queues"
    actions   = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes", "sqs:ListQueueTags", "sqs:TagQueue"]
    resources = ["${local.arn}:sqs:${local.here}:${var.project}-alerts-*"]
  }
  statement {
    sid       = "LogGroups"
    actions   = ["logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:AssociateKmsKey", "logs:ListTagsForResource", "logs:TagResource"]
    resources = ["${local.arn}:logs:${local.here}:log-group:airflow-${var.project}-*", "${local.arn}:logs:${local.here}:log-group:/${var.project}/*"]
  }
  statement {
    sid       = "Alarms"
    actions   = ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:TagResource"]
    resources = ["${local.arn}:cloudwatch:${local.here}:alarm:${var.project} *"]
  }
  statement {
    sid       = "Dashboards"
    actions   = ["cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"]
    resources = ["${local.arn}:cloudwatch::${local.account}:dashboard/${var.project}-*"]
  }
  statement {
    sid       = "Look"
    actions   = ["ec2:Describe*", "logs:DescribeLogGroups", "cloudwatch:DescribeAlarms", "cloudtrail:DescribeTrails"]
    resources = ["*"] # they have no resource level
  }
  statement {
    sid       = "NewApplication"
    actions   = ["emr-serverless:CreateApplication"]
    resources = ["*"] # it has no resource level
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [local.region]
    }
  }
  statement {
    sid       = "Network"
    actions   = ["ec2:CreateVpc", "ec2:DeleteVpc", "ec2:ModifyVpcAttribute", "ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:CreateRouteTable", "ec2:DeleteRouteTable", "ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:CreateRoute", "ec2:DeleteRoute", "ec2:CreateInternetGateway", "ec2:AttachInternetGateway", "ec2:DetachInternetGateway", "ec2:DeleteInternetGateway", "ec2:AllocateAddress", "ec2:DisassociateAddress", "ec2:ReleaseAddress", "ec2:CreateNatGateway", "ec2:DeleteNatGateway", "ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", "ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:CreateFlowLogs", "ec2:DeleteFlowLogs", "ec2:CreateTags"]
    resources = ["*"] # ids are drawn; the region bounds it
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [local.region]
    }
  }
}
