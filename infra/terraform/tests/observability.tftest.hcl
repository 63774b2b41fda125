# Plans with the real provider and no AWS: policies are documents that the provider makes by itself.
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

variables {
  project = "sluice"
  registry = {
    dags            = ["daily_lakehouse", "orders_stream"]
    pipelines       = ["lakehouse"]
    silver_tables   = ["silver.orders"]
    streamed_tables = ["bronze.orders_events"]
    watched_tables  = ["bronze.orders_events", "silver.orders"]
  }
  topics = {
    critical = "arn:aws:sns:us-east-1:123456789012:sluice-alerts-critical"
    high     = "arn:aws:sns:us-east-1:123456789012:sluice-alerts-high"
    medium   = "arn:aws:sns:us-east-1:123456789012:sluice-alerts-medium"
    low      = "arn:aws:sns:us-east-1:123456789012:sluice-alerts-low"
  }
  queues = ["sluice-alerts-slack"]
}

run "every_dag_and_table_of_the_registry_has_its_alarms" {
  command = plan
  module {
    source = "./modules/observability"
  }

  assert {
    condition     = toset([for name in output.alarms : split(" ", name)[1] if startswith(name, "failures ")]) == toset(var.registry.dags)
    error_message = "a DAG's failures are not watched"
  }
  assert {
    condition     = toset([for name in output.alarms : split(" ", name)[1] if startswith(name, "stale ")]) == toset(var.registry.watched_tables)
    error_message = "a table's age is not watched"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.plain["gate-failed lakehouse"].dimensions == tomap({ Project = "sluice", Pipeline = "lakehouse" })
    error_message = "the alarm looks at figures that nobody sends"
  }
}

run "failures_are_a_share_of_all_tasks" {
  command = plan
  module {
    source = "./modules/observability"
  }

  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.computed["failures daily_lakehouse"].metric_query : query.expression if query.return_data]) == "100 * FILL(m0, 0) / (FILL(m0, 0) + FILL(m1, 0))"
    error_message = "failures are not counted against all tasks"
  }
}

run "prices_reach_the_alarm_of_cost" {
  command = plan
  module {
    source = "./modules/observability"
  }

  variables {
    prices = { vcpu_hour = 0.05, memory_gb_hour = 0.006 }
  }
  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.computed["cost daily_lakehouse"].metric_query : query.expression if query.return_data]) == "FILL(m0, 0) * 0.05 + FILL(m1, 0) * 0.006"
    error_message = "cost is computed with other prices"
  }
}

run "slow_job_runs_are_told_by_their_p99_and_silent_streams_are_down" {
  command = plan
  module {
    source = "./modules/observability"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.plain["slow-job-runs daily_lakehouse"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.plain["slow-job-runs daily_lakehouse"].statistic == null
    error_message = "not the p99"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.plain["stream-down bronze.orders_events"].treat_missing_data == "breaching"
    error_message = "a stream that nobody looks at counts as well"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.plain["stream-down bronze.orders_events"].alarm_actions == toset([var.topics["critical"]])
    error_message = "a stream that is down does not reach the critical topic"
  }
}

run "an_environment_has_thresholds_of_its_own" {
  command = plan
  module {
    source = "./modules/observability"
  }

  variables {
    thresholds = { dead-letters = 50 }
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.plain["dead-letters bronze.orders_events"].threshold == 50
    error_message = "the threshold is not taken"
  }
}

run "queues_and_money_are_watched" {
  command = plan
  module {
    source = "./modules/observability"
  }

  variables {
    budget = { create = true, dollars = 900, emails = ["a@example.com"] }
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.queue["sluice-alerts-slack"].threshold == 600
    error_message = "nobody sees that a queue is not emptied"
  }
  assert {
    condition     = aws_budgets_budget.month[0].limit_amount == "900"
    error_message = "no budget"
  }
  assert {
    condition     = toset(output.dashboards) == toset(["sluice-pipeline", "sluice-operations"])
    error_message = "a dashboard is missing"
  }
}
