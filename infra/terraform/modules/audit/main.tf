# Who read and wrote which object of the lake, for as long as restricted data asks for.
data "aws_caller_identity" "here" {}
data "aws_region" "here" {}
data "aws_partition" "here" {}

locals {
  trail = "arn:${data.aws_partition.here.partition}:cloudtrail:${data.aws_region.here.name}:${data.aws_caller_identity.here.account_id}:trail/${var.project}"
  # From the name, so that a plan shows the whole policy before there is a bucket.
  bucket = "arn:${data.aws_partition.here.partition}:s3:::${aws_s3_bucket.trail.bucket}"
  days   = var.retention_years * 366
}

resource "aws_cloudtrail" "data" {
  #checkov:skip=CKV_AWS_252:Nobody reads a notice for each file of a trail.
  #checkov:skip=CKV2_AWS_10:CloudWatch would keep a second copy of millions of events. Athena reads the bucket.
  name                          = var.project
  s3_bucket_name                = aws_s3_bucket.trail.id
  kms_key_id                    = var.key
  enable_log_file_validation    = true
  is_multi_region_trail         = true # events of IAM and STS come in other regions
  include_global_service_events = true

  advanced_event_selector {
    name = "who changed the account"
    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  dynamic "advanced_event_selector" {
    for_each = var.watched
    content {
      name = "objects of ${advanced_event_selector.key}"
      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }
      field_selector {
        field  = "resources.type"
        equals = ["AWS::S3::Object"]
      }
      field_selector {
        field       = "resources.ARN"
        starts_with = ["${advanced_event_selector.value}/"]
      }
    }
  }

  depends_on = [aws_s3_bucket_policy.trail]
}
