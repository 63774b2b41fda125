output "trail_arn" {
  description = "ARN of the trail."
  value       = aws_cloudtrail.data.arn
}

output "bucket" {
  description = "Bucket of the trail."
  value       = aws_s3_bucket.trail.id
}

output "kept_days" {
  description = "Days for which the trail is kept."
  value       = local.days
}
