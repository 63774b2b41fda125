data "aws_region" "here" {}

# SEARCH finds what is there: a new table or DAG needs no new widget.
locals {
  search = "SEARCH('{${local.namespace},Project,%s} Project=\"${var.project}\" MetricName=\"%s\"', '%s', %d)"

  pipeline = [
    { title = "Tasks that failed", by = "Dag", metric = "TasksFailed", stat = "Sum", period = 3600 },
    { title = "Tasks that succeeded", by = "Dag", metric = "TasksSucceeded", stat = "Sum", period = 3600 },
    { title = "Gates that refused", by = "Pipeline", metric = "GateFailed", stat = "Maximum", period = 300 },
    { title = "Rows kept out of silver", by = "Table", metric = "RowsQuarantined", stat = "Sum", period = 3600 },
    { title = "Age of the newest commit, seconds", by = "Table", metric = "StalenessSeconds", stat = "Maximum", period = 300 },
    { title = "Streams that do well", by = "Table", metric = "StreamUp", stat = "Minimum", period = 300 },
    { title = "Messages that wait in Kafka", by = "Table", metric = "Lag", stat = "Maximum", period = 60 },
    { title = "Dead letters", by = "Table", metric = "MessagesDeadLettered", stat = "Sum", period = 300 },
  ]
  operations = [
    { title = "Job runs: seconds, p99", by = "Dag", metric = "JobSeconds", stat = "p99", period = 3600 },
    { title = "Job runs: seconds in the queue", by = "Dag", metric = "QueueSeconds", stat = "Maximum", period = 3600 },
    { title = "vCPU-hours", by = "Dag", metric = "VcpuHours", stat = "Sum", period = 86400 },
    { title = "GB-hours of memory", by = "Dag", metric = "MemoryGbHours", stat = "Sum", period = 86400 },
    { title = "Messages a second", by = "Table", metric = "EventsPerSecond", stat = "Average", period = 60 },
    { title = "Messages read", by = "Table", metric = "MessagesRead", stat = "Sum", period = 300 },
    { title = "Slowest batch, seconds", by = "Table", metric = "BatchSeconds", stat = "Maximum", period = 60 },
  ]
  dashboards = { pipeline = local.pipeline, operations = local.operations }
}

resource "aws_cloudwatch_dashboard" "of" {
  for_each       = local.dashboards
  dashboard_name = "${var.project}-${each.key}"
  dashboard_body = jsonencode({
    widgets = concat(
      [for number, widget in each.value : {
        type   = "metric"
        x      = 12 * (number % 2)
        y      = 6 * floor(number / 2)
        width  = 12
        height = 6
        properties = {
          title   = widget.title
          region  = data.aws_region.here.name
          view    = "timeSeries"
          stacked = false
          period  = widget.period
          metrics = [[{ expression = format(local.search, widget.by, widget.metric, widget.stat, widget.period), id = "e" }]]
        }
      }],
      each.key == "pipeline" ? [] : [{
        type   = "metric"
        x      = 12
        y      = 6 * floor(length(each.value) / 2)
        width  = 12
        height = 6
        properties = {
          title   = "Alerts that SNS did not take"
          region  = data.aws_region.here.name
          view    = "timeSeries"
          stacked = false
          period  = 300
          metrics = [[local.namespace, "AlertsNotSent", "Project", var.project, { stat = "Sum" }]]
        }
      }],
    )
  })
}
