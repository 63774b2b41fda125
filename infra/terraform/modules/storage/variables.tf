variable "company" {
  type        = string
  description = "Begins the buckets' names, which are unique in the whole of AWS."
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,30}$", var.company))
    error_message = "company: 2 to 31 lower-case letters, digits and dashes."
  }
}

variable "environment" {
  type        = string
  description = "Ends the buckets' names: dev, staging or prod."
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: dev, staging or prod."
  }
}

variable "data_key" {
  type        = string
  description = "KMS key of the lake, landed files and reports."
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

variable "log_retention_days" {
  type        = number
  description = "Days for which logs are kept."
  validation {
    condition     = contains([14, 30, 60, 90, 120, 180, 365], var.log_retention_days)
    error_message = "log_retention_days: one of CloudWatch's: 14, 30, 60, 90, 120, 180, 365."
  }
}

variable "landing_retention_days" {
  type        = number
  description = "Days after which a landed file is deleted; bronze holds its rows by then."
  default     = 365
  validation {
    condition     = var.landing_retention_days >= 30
    error_message = "landing_retention_days: 30 or more, so that a file can be read again after a mistake."
  }
}

variable "destroy_data" {
  type        = bool
  description = "Whether `terraform destroy` may delete buckets that hold objects."
  default     = false
  validation {
    condition     = !var.destroy_data || var.environment != "prod"
    error_message = "destroy_data: never in prod. Empty the buckets by hand if that is what you want."
  }
}
