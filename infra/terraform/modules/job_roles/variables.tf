variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "lake" {
  type        = string
  description = "Bucket of the lake."
  validation {
    condition     = startswith(var.lake, "arn:")
    error_message = "lake: an ARN."
  }
}

variable "code" {
  type        = string
  description = "Bucket of releases."
  validation {
    condition     = startswith(var.code, "arn:")
    error_message = "code: an ARN."
  }
}

variable "logs" {
  type        = string
  description = "Bucket of job runs' logs."
  validation {
    condition     = startswith(var.logs, "arn:")
    error_message = "logs: an ARN."
  }
}

variable "application" {
  type        = string
  description = "EMR Serverless application."
  validation {
    condition     = startswith(var.application, "arn:")
    error_message = "application: an ARN."
  }
}

variable "data_key" {
  type        = string
  description = "KMS key of the lake."
  validation {
    condition     = startswith(var.data_key, "arn:")
    error_message = "data_key: an ARN."
  }
}

variable "operations_key" {
  type        = string
  description = "KMS key of code and logs."
  validation {
    condition     = startswith(var.operations_key, "arn:")
    error_message = "operations_key: an ARN."
  }
}

variable "secrets_key" {
  type        = string
  description = "KMS key of the secrets."
  validation {
    condition     = startswith(var.secrets_key, "arn:")
    error_message = "secrets_key: an ARN."
  }
}

variable "alerts_key" {
  type        = string
  description = "KMS key of the topics."
  validation {
    condition     = startswith(var.alerts_key, "arn:")
    error_message = "alerts_key: an ARN."
  }
}

variable "secrets" {
  type        = map(string)
  description = "ARN of each source system's secret."
  validation {
    condition     = alltrue([for system in ["kafka", "salesforce", "snowflake"] : contains(keys(var.secrets), system)])
    error_message = "secrets: kafka, salesforce and snowflake."
  }
}

variable "topics" {
  type        = list(string)
  description = "ARNs of the topics of alerts."
  validation {
    condition     = length(var.topics) > 0
    error_message = "topics: at least one."
  }
}
