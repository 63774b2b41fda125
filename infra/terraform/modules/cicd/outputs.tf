output "role_arns" {
  description = "ARN of each role, plan and deploy: what .github's jobs take."
  value       = { for name, role in aws_iam_role.of : name => role.arn }
}

output "policies" {
  description = "Each role's policies as JSON, without the lists that AWS keeps."
  value = {
    plan   = { look = data.aws_iam_policy_document.look.json, state = data.aws_iam_policy_document.state["plan"].json }
    deploy = { data = data.aws_iam_policy_document.data_services.json, platform = data.aws_iam_policy_document.platform.json, release = data.aws_iam_policy_document.release.json, state = data.aws_iam_policy_document.state["deploy"].json }
  }
}
