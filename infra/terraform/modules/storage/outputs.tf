output "names" {
  description = "Name of each bucket: lake, code, logs, landing, reports, access."
  value       = { for kind, bucket in aws_s3_bucket.of : kind => bucket.id }
}

output "arns" {
  description = "ARN of each bucket."
  value       = { for kind, bucket in aws_s3_bucket.of : kind => bucket.arn }
}

output "expiries" {
  description = "Days after which S3 deletes, by bucket and prefix."
  value       = local.expiries
}
