output "environment" {
  description = "Name of the environment; also when it is not made here."
  value       = var.project
}

output "role_arn" {
  description = "ARN of Airflow's role."
  value       = aws_iam_role.airflow.arn
}

output "policies" {
  description = "Airflow's policies as JSON: dags, mwaa."
  value       = { dags = data.aws_iam_policy_document.dags.json, mwaa = data.aws_iam_policy_document.mwaa.json }
}
