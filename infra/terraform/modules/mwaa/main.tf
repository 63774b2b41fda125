# Names of log groups are MWAA's; made here, they have a retention and a key from the first line on.
resource "aws_cloudwatch_log_group" "of" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is each environment's: 14, 30 or 90 days.
  for_each          = toset(["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"])
  name              = "airflow-${var.project}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.operations_key
}

resource "aws_mwaa_environment" "own" {
  count                 = var.create ? 1 : 0
  name                  = var.project
  airflow_version       = var.airflow_version
  environment_class     = var.size.class
  min_workers           = var.size.min_workers
  max_workers           = var.size.max_workers
  min_webservers        = var.size.webservers
  max_webservers        = var.size.webservers
  schedulers            = var.size.schedulers
  execution_role_arn    = aws_iam_role.airflow.arn
  kms_key               = var.operations_key
  webserver_access_mode = var.web_access

  source_bucket_arn                = var.code
  dag_s3_path                      = var.artefacts.dags
  requirements_s3_path             = var.artefacts.requirements
  requirements_s3_object_version   = var.artefacts.requirements_version
  plugins_s3_path                  = var.artefacts.plugins
  plugins_s3_object_version        = var.artefacts.plugins_version
  startup_script_s3_path           = var.artefacts.startup
  startup_script_s3_object_version = var.artefacts.startup_version

  airflow_configuration_options = {
    # Plugins are loaded with the process, so that the triggerer has them.
    "core.lazy_load_plugins" = "False"
    # A DAG's first sight must start nothing. A person, or the deployment, lets it run.
    "core.dags_are_paused_at_creation" = "True"
    # Rendered fields of the operator hold whole Spark submissions.
    "core.max_templated_field_length" = "16384"
  }

  network_configuration {
    subnet_ids         = var.subnets
    security_group_ids = [var.security_group]
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = "WARNING" # at INFO a line for each file, each minute
    }
    scheduler_logs {
      enabled   = true
      log_level = "INFO"
    }
    task_logs {
      enabled   = true
      log_level = "INFO"
    }
    webserver_logs {
      enabled   = true
      log_level = "INFO"
    }
    worker_logs {
      enabled   = true
      log_level = "INFO"
    }
  }

  depends_on = [aws_cloudwatch_log_group.of, aws_iam_role_policy.airflow, aws_iam_role_policy.mwaa]
}
