output "arns" {
  description = "ARN of each source system's secret."
  value       = { for system, secret in aws_secretsmanager_secret.of : system => secret.arn }
}
