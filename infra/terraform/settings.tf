# What DAGs read from the environment: every name of jobs/lake/settings.py that a deployment sets. MWAA sets only what
# its start-up script exports, so that Terraform puts them into that script. The release's name is in its own DAG tree.
locals {
  settings = merge({
    SLUICE_PROJECT             = var.project
    SLUICE_LAKE_BUCKET         = module.storage.names["lake"]
    SLUICE_CODE_BUCKET         = module.storage.names["code"]
    SLUICE_LOGS_BUCKET         = module.storage.names["logs"]
    SLUICE_EMR_APPLICATION_ID  = module.emr_serverless.application_id
    SLUICE_EMR_ARCHITECTURE    = var.emr.architecture
    SLUICE_EMR_ROLE_ARN        = module.job_roles.pattern
    SLUICE_WORKER_WAIT_SECONDS = "0" # a job run on AWS takes minutes: the triggerer waits from the start
    SLUICE_SCHEDULE_START      = coalesce(var.schedule_start, substr(terraform_data.first_apply.output, 0, 10))
    SLUICE_SCHEDULE_END        = var.schedule_end
    SLUICE_MWAA_ENVIRONMENT    = module.mwaa.environment
    SLUICE_ALERT_TOPICS        = module.alerts.prefix
    SLUICE_OPENLINEAGE_URL     = var.openlineage_url
  }, { for name, value in var.sources : "SLUICE_DRIVER_${name}" => value })

  exports = [for name in sort(keys(local.settings)) : "export ${name}='${replace(local.settings[name], "'", "'\\''")}'"]
  startup = replace(coalesce(var.release.startup, file("${path.module}/../mwaa/startup.sh")), "@SETTINGS@", join("\n", local.exports))
}

# The moment of the first apply. Later ones leave it alone.
resource "terraform_data" "first_apply" {
  input = plantimestamp()
  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_s3_object" "startup" {
  #checkov:skip=CKV_AWS_186:The bucket's own key encrypts it.
  bucket       = module.storage.names["code"]
  key          = "airflow/startup.sh"
  content      = local.startup
  content_type = "text/x-shellscript"
}
