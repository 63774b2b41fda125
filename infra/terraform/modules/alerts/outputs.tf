output "topics" {
  description = "ARN of each severity's topic."
  value       = { for severity, topic in aws_sns_topic.of : severity => topic.arn }
}

output "prefix" {
  description = "What the ARNs of all topics begin with; -<severity> follows."
  value       = trimsuffix(aws_sns_topic.of["critical"].arn, "-critical")
}

output "queues" {
  description = "Names of the queues of channels, those of undelivered messages included."
  value       = concat([for queue in aws_sqs_queue.channel : queue.name], [for queue in aws_sqs_queue.undelivered : queue.name])
}
