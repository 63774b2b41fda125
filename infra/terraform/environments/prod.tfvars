environment  = "prod"
region       = "us-east-1"
company      = "your-company"
state_bucket = "your-company-terraform-state-prod"

log_retention_days = 90
network            = { cidr = "10.42.0.0/16", zones = ["us-east-1a", "us-east-1b", "us-east-1c"], endpoint_zones = 2, way_to_sources = true }
emr = {
  maximum = { vcpu = 256, memory = 1024, disk = 3200 }
  # The runbook's sizes.
  ready = { Driver = { count = 2, vcpu = 2, memory = 4 }, Executor = { count = 4, vcpu = 4, memory = 8 } }
}
airflow = { class = "mw1.medium", min_workers = 2, max_workers = 10 }
alerts = {
  emails = {
    critical = ["data-oncall@your-company.com", "data-team@your-company.com"]
    high     = ["data-oncall@your-company.com", "data-team@your-company.com"]
    medium   = ["data-team@your-company.com"]
    low      = ["data-team@your-company.com"]
  }
  queues = {
    slack     = ["critical", "high", "medium", "low"]
    pagerduty = ["critical", "high"]
  }
}
budget_dollars = 6000
audit_locked   = true
