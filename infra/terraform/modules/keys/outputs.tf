output "arns" {
  description = "ARN of each key: data, secrets, operations, alerts, audit."
  value       = { for name, key in aws_kms_key.of : name => key.arn }
}
