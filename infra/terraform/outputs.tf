output "settings" {
  description = "Settings of DAGs by name, as the start-up script exports them."
  value       = local.settings
}

output "startup_script" {
  description = "Where MWAA's start-up script lies, and its version."
  value       = { uri = "s3://${aws_s3_object.startup.bucket}/${aws_s3_object.startup.key}", version = aws_s3_object.startup.version_id }
}

output "buckets" {
  description = "Buckets by what they hold."
  value       = merge(module.storage.names, { audit = module.audit.bucket })
}

output "athena_workgroup" {
  description = "Workgroup in which people query."
  value       = module.catalog.workgroup
}

output "query_policy" {
  description = "Policy to attach to the role of people who query."
  value       = module.catalog.query_policy
}

output "job_roles" {
  description = "Roles of job runs, by kind."
  value       = module.job_roles.arns
}

output "github_roles" {
  description = "Roles that GitHub's jobs take; empty without a repository."
  value       = try(module.cicd[0].role_arns, {})
}

output "alarms" {
  description = "Names of the alarms."
  value       = module.observability.alarms
}

output "policies" {
  description = "Policies of job runs and of Airflow, as JSON, for the report of what is granted and used."
  value       = merge({ for kind, policy in module.job_roles.policies : "job-${kind}" => policy }, { for name, policy in module.mwaa.policies : "airflow-${name}" => policy })
}
