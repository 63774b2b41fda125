variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "key" {
  type        = string
  description = "KMS key of the secrets."
  validation {
    condition     = startswith(var.key, "arn:")
    error_message = "key: an ARN."
  }
}

variable "recovery_days" {
  type        = number
  description = "Days for which a removed secret can be brought back; 0 removes it at once."
  default     = 30
  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "recovery_days: 0, or 7 to 30."
  }
}
