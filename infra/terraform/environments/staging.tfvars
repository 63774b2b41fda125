environment  = "staging"
region       = "us-east-1"
company      = "your-company"
state_bucket = "your-company-terraform-state-staging"

log_retention_days = 30
network            = { cidr = "10.41.0.0/16", zones = ["us-east-1a", "us-east-1b"], endpoint_zones = 2, way_to_sources = true }
emr = {
  maximum = { vcpu = 64, memory = 256, disk = 800 }
  ready   = { Driver = { count = 1, vcpu = 2, memory = 4 }, Executor = { count = 2, vcpu = 4, memory = 8 } }
}
airflow = { class = "mw1.small", min_workers = 1, max_workers = 5 }
alerts = {
  emails = {
    critical = ["data-team@your-company.com"]
    high     = ["data-team@your-company.com"]
    medium   = ["data-team@your-company.com"]
  }
  queues = { slack = ["critical", "high", "medium"] }
}
budget_dollars = 1500
audit_locked   = false
