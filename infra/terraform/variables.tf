variable "environment" {
  type        = string
  description = "dev, staging or prod. Each has an AWS account of its own: Glue's databases are named as the layers, and have no room for a second environment."
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: dev, staging or prod."
  }
}

variable "region" {
  type        = string
  description = "AWS region."
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: such as us-east-1."
  }
}

variable "project" {
  type        = string
  description = "SLUICE_PROJECT: begins names of secrets, topics, roles; tags job runs; a dimension of each figure."
  default     = "sluice"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "company" {
  type        = string
  description = "Begins the buckets' names: <company>-data-lake-<environment>."
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,30}$", var.company))
    error_message = "company: 2 to 31 lower-case letters, digits and dashes."
  }
}

variable "state_bucket" {
  type        = string
  description = "Bucket of Terraform's state, which `make terraform-state` made."
  validation {
    condition     = length(var.state_bucket) > 2
    error_message = "state_bucket: a bucket's name."
  }
}

variable "registry" {
  type = object({
    layers          = list(string)
    dags            = list(string)
    pipelines       = list(string)
    silver_tables   = list(string)
    streamed_tables = list(string)
    watched_tables  = list(string)
  })
  description = "What the registry of the code has. infra/provision writes it beside each plan, so that a new table needs no change here."
  validation {
    condition     = length(var.registry.layers) > 0
    error_message = "registry: at least one layer."
  }
}

variable "release" {
  type = object({
    name                 = string
    requirements_version = optional(string)
    plugins_version      = optional(string)
    startup              = optional(string, "")
  })
  description = "The release that runs: its hash, the object versions of its requirements.txt and plugins.zip in the code bucket, and the text of its start-up script, in which the settings take the place of @SETTINGS@; without one it is that of this checkout."
  validation {
    condition     = can(regex("^[0-9a-f]{12,64}$", var.release.name))
    error_message = "release.name: the hash that `make package` prints."
  }
}

variable "schedule_start" {
  type        = string
  description = "First day of scheduled DAGs, YYYY-MM-DD. Null: the day of the first apply, which then stays."
  default     = null
  validation {
    condition     = var.schedule_start == null || can(formatdate("YYYY", "${var.schedule_start}T00:00:00Z"))
    error_message = "schedule_start: YYYY-MM-DD."
  }
}

variable "schedule_end" {
  type        = string
  description = "Last day of scheduled DAGs, YYYY-MM-DD. Empty: none."
  default     = ""
  validation {
    condition     = var.schedule_end == "" || can(formatdate("YYYY", "${var.schedule_end}T00:00:00Z"))
    error_message = "schedule_end: YYYY-MM-DD."
  }
}

variable "openlineage_url" {
  type        = string
  description = "Service that takes OpenLineage events. Empty: the lake keeps them."
  default     = ""
  validation {
    condition     = can(regex("^(https?://.+)?$", var.openlineage_url))
    error_message = "openlineage_url: an address that begins with http, or nothing."
  }
}

variable "sources" {
  type        = map(string)
  description = "Addresses that stand in for a vendor's own, by setting: FX_RATES_URL, SALESFORCE_ENDPOINT_URL, SNOWFLAKE_ENDPOINT_URL, KAFKA_SSL_CA_FILE. DAGs hand them to every driver."
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.sources) : contains(["FX_RATES_URL", "SALESFORCE_ENDPOINT_URL", "SNOWFLAKE_ENDPOINT_URL", "KAFKA_SSL_CA_FILE"], name)])
    error_message = "sources: FX_RATES_URL, SALESFORCE_ENDPOINT_URL, SNOWFLAKE_ENDPOINT_URL or KAFKA_SSL_CA_FILE."
  }
}
