output "databases" {
  description = "Glue databases."
  value       = [for database in aws_glue_catalog_database.layer : database.name]
}

output "workgroup" {
  description = "Athena workgroup."
  value       = aws_athena_workgroup.own.name
}

output "workgroup_arn" {
  description = "ARN of the Athena workgroup."
  value       = aws_athena_workgroup.own.arn
}

output "queries" {
  description = "Titles of the named queries."
  value       = keys(local.queries)
}

output "query_policy" {
  description = "ARN of the policy for people who query."
  value       = aws_iam_policy.query.arn
}

output "query_document" {
  description = "That policy as JSON."
  value       = data.aws_iam_policy_document.query.json
}
