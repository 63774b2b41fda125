# What runs, what it may do, and who is told.
module "emr_serverless" {
  source         = "./modules/emr_serverless"
  project        = var.project
  architecture   = var.emr.architecture
  subnets        = module.network.subnets
  security_group = module.network.work_group
  maximum        = var.emr.maximum
  ready          = var.emr.ready
  idle_minutes   = var.emr.idle_minutes
}

module "alerts" {
  source  = "./modules/alerts"
  project = var.project
  key     = module.keys.arns["alerts"]
  emails  = var.alerts.emails
  phones  = var.alerts.phones
  queues  = var.alerts.queues
}

module "job_roles" {
  source         = "./modules/job_roles"
  project        = var.project
  lake           = module.storage.arns["lake"]
  code           = module.storage.arns["code"]
  logs           = module.storage.arns["logs"]
  application    = module.emr_serverless.application_arn
  data_key       = module.keys.arns["data"]
  operations_key = module.keys.arns["operations"]
  secrets_key    = module.keys.arns["secrets"]
  alerts_key     = module.keys.arns["alerts"]
  secrets        = module.secrets.arns
  topics         = values(module.alerts.topics)
}

module "mwaa" {
  source             = "./modules/mwaa"
  project            = var.project
  create             = var.create_mwaa
  airflow_version    = var.airflow.version
  size               = { class = var.airflow.class, min_workers = var.airflow.min_workers, max_workers = var.airflow.max_workers, webservers = var.airflow.webservers, schedulers = var.airflow.schedulers }
  web_access         = var.airflow.web_access
  subnets            = slice(module.network.subnets, 0, 2)
  security_group     = module.network.work_group
  lake               = module.storage.arns["lake"]
  code               = module.storage.arns["code"]
  logs               = module.storage.arns["logs"]
  application        = module.emr_serverless.application_arn
  data_key           = module.keys.arns["data"]
  operations_key     = module.keys.arns["operations"]
  alerts_key         = module.keys.arns["alerts"]
  job_roles          = values(module.job_roles.arns)
  topics             = values(module.alerts.topics)
  log_retention_days = var.log_retention_days
  artefacts = {
    # One release, one prefix, which is never written again: no process sees files of two releases.
    dags                 = "releases/${var.release.name}/dags"
    requirements         = "releases/${var.release.name}/requirements.txt"
    requirements_version = var.release.requirements_version
    plugins              = "releases/${var.release.name}/plugins.zip"
    plugins_version      = var.release.plugins_version
    startup              = aws_s3_object.startup.key
    startup_version      = aws_s3_object.startup.version_id
  }
}

module "streaming" {
  source                = "./modules/streaming"
  project               = var.project
  create_msk_serverless = var.create_msk_serverless
  vpc_id                = module.network.vpc_id
  subnets               = module.network.subnets
  work_group            = module.network.work_group
}

module "observability" {
  source     = "./modules/observability"
  project    = var.project
  registry   = var.registry
  topics     = module.alerts.topics
  queues     = module.alerts.queues
  thresholds = var.thresholds
  prices     = var.prices
  budget     = { create = var.create_budget, dollars = var.budget_dollars, emails = distinct(flatten(values(var.alerts.emails))) }
}

module "cicd" {
  source       = "./modules/cicd"
  count        = var.github_repository == "" ? 0 : 1
  project      = var.project
  company      = var.company
  environment  = var.environment
  repository   = var.github_repository
  state_bucket = var.state_bucket
  query_policy = module.catalog.query_policy
}
