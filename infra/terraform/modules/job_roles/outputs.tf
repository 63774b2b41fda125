output "arns" {
  description = "ARN of each role, by kind of job."
  value       = { for kind, role in aws_iam_role.job : kind => role.arn }
}

output "pattern" {
  description = "ARN of all roles, with {kind} in place of the kind of job."
  value       = "${local.arn}:iam::${local.account}:role/${var.project}-job-{kind}"
}

output "policies" {
  description = "Policy of each role, as JSON."
  value       = { for kind, document in data.aws_iam_policy_document.job : kind => document.json }
}

output "kinds" {
  description = "What each kind of job does."
  value       = local.kinds
}
