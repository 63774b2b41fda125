output "arns" {
  description = "ARN of each role: `job` alone, or one for each kind of job."
  value       = { for kind, role in aws_iam_role.job : kind => role.arn }
}

output "policies" {
  description = "Policy of each role, as JSON."
  value       = { for kind, document in data.aws_iam_policy_document.job : kind => document.json }
}

output "kinds" {
  description = "What each kind of job does, role or not."
  value       = local.kinds
}
