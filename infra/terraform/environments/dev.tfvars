environment  = "dev"
region       = "us-east-1"
company      = "your-company"
state_bucket = "your-company-terraform-state-dev"

log_retention_days = 14
network            = { cidr = "10.40.0.0/16", zones = ["us-east-1a", "us-east-1b"], endpoint_zones = 1, way_to_sources = true }
emr                = { maximum = { vcpu = 32, memory = 128, disk = 400 } }
airflow            = { class = "mw1.small", min_workers = 1, max_workers = 2 }
alerts             = { emails = { critical = ["data-dev@your-company.com"], high = ["data-dev@your-company.com"] } }
budget_dollars     = 900
scan_limit_gb      = 10
audit_locked       = false
destroy_data       = true # nothing in dev can't be made again
