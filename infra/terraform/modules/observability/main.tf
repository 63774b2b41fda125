# alarms.json is data, so that a test can hold it to jobs/lake/state/metrics.py.
locals {
  namespace  = "Sluice"
  dimensions = { dags = "Dag", pipelines = "Pipeline", silver_tables = "Table", streamed_tables = "Table", watched_tables = "Table" }
  rows       = jsondecode(file("${path.module}/alarms.json"))
  alarms = merge([for row in local.rows : {
    for value in(row.over == "" ? [""] : var.registry[row.over]) : trimsuffix("${row.name} ${value}", " ") => {
      row        = row
      threshold  = lookup(var.thresholds, row.name, row.threshold)
      dimensions = merge({ Project = var.project }, row.over == "" ? {} : { (local.dimensions[row.over]) = value })
    }
  }]...)
  plain    = { for name, alarm in local.alarms : name => alarm if !contains(keys(alarm.row), "expression") }
  computed = { for name, alarm in local.alarms : name => alarm if contains(keys(alarm.row), "expression") }
}

resource "aws_cloudwatch_metric_alarm" "plain" {
  for_each            = local.plain
  alarm_name          = "${var.project} ${each.key}"
  alarm_description   = each.value.row.meaning
  namespace           = local.namespace
  metric_name         = each.value.row.metrics[0]
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.row.statistic, "p") ? null : each.value.row.statistic
  extended_statistic  = startswith(each.value.row.statistic, "p") ? each.value.row.statistic : null
  period              = each.value.row.period
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = each.value.row.comparison
  treat_missing_data  = each.value.row.missing
  alarm_actions       = [var.topics[each.value.row.severity]]
  ok_actions          = [var.topics["low"]]
}

resource "aws_cloudwatch_metric_alarm" "computed" {
  for_each            = local.computed
  alarm_name          = "${var.project} ${each.key}"
  alarm_description   = each.value.row.meaning
  evaluation_periods  = 1
  threshold           = each.value.threshold
  comparison_operator = each.value.row.comparison
  treat_missing_data  = each.value.row.missing
  alarm_actions       = [var.topics[each.value.row.severity]]
  ok_actions          = [var.topics["low"]]

  metric_query {
    id          = "result"
    label       = each.value.row.meaning
    return_data = true
    expression  = replace(replace(each.value.row.expression, "VCPU_HOUR", var.prices.vcpu_hour), "MEMORY_GB_HOUR", var.prices.memory_gb_hour)
  }

  dynamic "metric_query" {
    for_each = each.value.row.metrics
    content {
      id          = "m${metric_query.key}"
      return_data = false
      metric {
        namespace   = local.namespace
        metric_name = metric_query.value
        dimensions  = each.value.dimensions
        period      = each.value.row.period
        stat        = each.value.row.statistic
      }
    }
  }
}

# A queue that nobody empties: its channel tells nobody anything.
resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each            = toset(var.queues)
  alarm_name          = "${var.project} queue-age ${each.key}"
  alarm_description   = "alerts wait in a queue for over 10 minutes"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.key }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = lookup(var.thresholds, "queue-age", 600)
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topics["high"]]
  ok_actions          = [var.topics["low"]]
}

resource "aws_budgets_budget" "month" {
  count        = var.budget.create ? 1 : 0
  name         = var.project
  budget_type  = "COST"
  limit_amount = tostring(var.budget.dollars)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "notification" {
    for_each = [80, 100]
    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      notification_type          = "ACTUAL"
      subscriber_email_addresses = var.budget.emails
    }
  }
}
