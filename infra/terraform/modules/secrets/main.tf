# Names and keys alone. Values are put by a person (docs/deployment.md), so that no state and no plan ever holds one.
locals {
  systems = {
    kafka      = "bootstrap_servers, api_key, api_secret, group_id"
    salesforce = "username, password, security_token, instance_url"
    snowflake  = "account, username, password, warehouse, database, schema"
  }
}

resource "aws_secretsmanager_secret" "of" {
  #checkov:skip=CKV2_AWS_57:The vendors rotate: Salesforce, Snowflake and Kafka have no API by which a Lambda could. docs/operations.md has the steps.
  for_each                = local.systems
  name                    = "${var.project}/${each.key}/credentials"
  description             = "JSON with the keys ${each.value}"
  kms_key_id              = var.key
  recovery_window_in_days = var.recovery_days
}
