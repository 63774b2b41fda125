variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "company" {
  type        = string
  description = "Begins the buckets' names."
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,30}$", var.company))
    error_message = "company: 2 to 31 lower-case letters, digits and dashes."
  }
}

variable "environment" {
  type        = string
  description = "GitHub environment whose approvals guard the deployment: dev, staging or prod."
  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "environment: dev, staging or prod."
  }
}

variable "repository" {
  type        = string
  description = "GitHub repository, owner/name."
  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository: owner/name."
  }
}

variable "create_provider" {
  type        = bool
  description = "Whether to make GitHub's OIDC provider; an account has one at most."
  default     = true
  validation {
    condition     = var.create_provider != null
    error_message = "create_provider: true or false."
  }
}

variable "state_bucket" {
  type        = string
  description = "Bucket of Terraform's state."
  validation {
    condition     = length(var.state_bucket) > 2
    error_message = "state_bucket: a bucket's name."
  }
}

variable "query_policy" {
  type        = string
  description = "Policy of people who query, by which a deployment reads what its canary wrote."
  validation {
    condition     = startswith(var.query_policy, "arn:")
    error_message = "query_policy: an ARN."
  }
}
