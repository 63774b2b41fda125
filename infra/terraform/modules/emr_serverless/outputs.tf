output "application_id" {
  description = "Id of the application."
  value       = aws_emrserverless_application.own.id
}

output "application_arn" {
  description = "ARN of the application."
  value       = aws_emrserverless_application.own.arn
}
