variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "bucket_name" {
  type        = string
  description = "Bucket of the trail."
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name: as S3 allows."
  }
}

variable "retention_years" {
  type        = number
  description = "Years for which it is kept who read and wrote what. Restricted data asks for six."
  default     = 6
  validation {
    condition     = var.retention_years >= 6
    error_message = "retention_years: at least 6, because the lake holds restricted columns."
  }
}

variable "locked" {
  type        = bool
  description = "Whether objects are locked for that time: then nobody, also not the account's owner, can delete them."
  validation {
    condition     = var.locked != null
    error_message = "locked: true or false."
  }
}

variable "destroy_data" {
  type        = bool
  description = "Whether `terraform destroy` may delete the trail's objects. Locked ones stay in any case."
  default     = false
  validation {
    condition     = var.destroy_data != null
    error_message = "destroy_data: true or false."
  }
}

variable "access_log_bucket" {
  type        = string
  description = "Bucket of access logs."
  validation {
    condition     = length(var.access_log_bucket) > 2
    error_message = "access_log_bucket: a bucket's name."
  }
}

variable "watched" {
  type        = map(string)
  description = "ARNs of the buckets whose objects' reads and writes are recorded."
  validation {
    condition     = length(var.watched) > 0
    error_message = "watched: at least one bucket."
  }
}

variable "key" {
  type        = string
  description = "KMS key of the trail."
  validation {
    condition     = startswith(var.key, "arn:")
    error_message = "key: an ARN."
  }
}
