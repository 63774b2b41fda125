output "cluster_arn" {
  description = "ARN of the cluster; null when an existing Kafka is used."
  value       = one(aws_msk_serverless_cluster.own[*].arn)
}

output "policy" {
  description = "What a reader of the cluster may do, as JSON; null without a cluster."
  value       = one(data.aws_iam_policy_document.read[*].json)
}
