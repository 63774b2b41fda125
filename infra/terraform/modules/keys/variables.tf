variable "project" {
  type        = string
  description = "Name of the deployment: begins the keys' aliases."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "deletion_days" {
  type        = number
  description = "Days between a key's removal and its loss; what it encrypted is lost with it."
  default     = 30
  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "deletion_days: 7 to 30, as KMS asks."
  }
}
