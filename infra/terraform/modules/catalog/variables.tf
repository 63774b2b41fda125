variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "lake_bucket" {
  type        = string
  description = "Bucket of the lake."
  validation {
    condition     = length(var.lake_bucket) > 2
    error_message = "lake_bucket: a bucket's name."
  }
}

variable "layers" {
  type        = list(string)
  description = "Layers of the lake; each is a Glue database of that name."
  validation {
    condition     = length(var.layers) > 0 && length(distinct(var.layers)) == length(var.layers)
    error_message = "layers: at least one, each once."
  }
}

variable "results" {
  type        = string
  description = "Where Athena puts query results, an s3:// prefix."
  validation {
    condition     = can(regex("^s3://[^/]+/.+/$", var.results))
    error_message = "results: s3://<bucket>/<prefix>/."
  }
}

variable "scan_limit_gb" {
  type        = number
  description = "A query that would scan more is cancelled."
  default     = 100
  validation {
    condition     = var.scan_limit_gb >= 1
    error_message = "scan_limit_gb: at least 1."
  }
}

variable "runbook" {
  type        = string
  description = "Text of docs/runbook.md. Each of its SQL blocks that begins with a comment becomes a named query."
  validation {
    condition     = length(regexall("(?s)```sql\n-- [^\n]+\n.*?```", var.runbook)) > 0
    error_message = "runbook: no SQL block that begins with a comment. Has the form of docs/runbook.md changed?"
  }
}

variable "key" {
  type        = string
  description = "KMS key of query results."
  validation {
    condition     = startswith(var.key, "arn:")
    error_message = "key: an ARN."
  }
}

variable "asked_layers" {
  type        = list(string)
  description = "Layers that people may query. Bronze and quarantine hold rows as they came, personal data included."
  default     = ["silver", "gold", "ops"]
  validation {
    condition     = length(setsubtract(var.asked_layers, var.layers)) == 0 && length(var.asked_layers) > 0
    error_message = "asked_layers: layers of the lake, at least one."
  }
}
