output "names" {
  description = "Name of each bucket: lake, code, logs, landing, reports, access."
  value       = { for kind, bucket in aws_s3_bucket.of : kind => bucket.bucket }
  depends_on  = [aws_s3_bucket_policy.of] # who gets a name may use the bucket
}

output "arns" {
  description = "ARN of each bucket."
  value       = local.arns
}

output "expiries" {
  description = "Days after which S3 deletes, by bucket and prefix."
  value       = local.expiries
}
