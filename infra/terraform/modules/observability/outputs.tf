output "alarms" {
  description = "Names of the alarms."
  value       = sort(concat(keys(local.alarms), [for queue in var.queues : "queue-age ${queue}"]))
}

output "dashboards" {
  description = "Names of the dashboards."
  value       = [for dashboard in aws_cloudwatch_dashboard.of : dashboard.dashboard_name]
}
