# What holds data and what guards it.
module "keys" {
  source        = "./modules/keys"
  project       = var.project
  deletion_days = var.destroy_data ? 7 : 30
}

module "network" {
  source             = "./modules/network"
  project            = var.project
  cidr               = var.network.cidr
  zones              = var.network.zones
  endpoint_zones     = var.network.endpoint_zones
  way_to_sources     = var.network.way_to_sources
  source_ports       = var.network.source_ports
  log_group_key      = module.keys.arns["operations"]
  log_retention_days = var.log_retention_days
}

module "storage" {
  source             = "./modules/storage"
  company            = var.company
  environment        = var.environment
  data_key           = module.keys.arns["data"]
  operations_key     = module.keys.arns["operations"]
  log_retention_days = var.log_retention_days
  destroy_data       = var.destroy_data
}

module "secrets" {
  source        = "./modules/secrets"
  project       = var.project
  key           = module.keys.arns["secrets"]
  recovery_days = var.destroy_data ? 0 : 30
}

module "catalog" {
  source        = "./modules/catalog"
  project       = var.project
  lake_bucket   = module.storage.names["lake"]
  layers        = var.registry.layers
  results       = "s3://${module.storage.names["reports"]}/athena/"
  key           = module.keys.arns["data"]
  scan_limit_gb = var.scan_limit_gb
  runbook       = file("${path.module}/../../docs/runbook.md")
}

module "audit" {
  source            = "./modules/audit"
  project           = var.project
  bucket_name       = "${var.company}-audit-${var.environment}"
  key               = module.keys.arns["audit"]
  locked            = var.audit_locked
  destroy_data      = var.destroy_data
  access_log_bucket = module.storage.names["access"]
  watched           = { lake = module.storage.arns["lake"], landing = module.storage.arns["landing"] }
}
