# Parts that a deployment may leave out.
variable "create_mwaa" {
  type        = bool
  description = "Whether to make the MWAA environment. Off where the AWS API has no MWAA, and for a first apply without its half hour."
  default     = true
  validation {
    condition     = var.create_mwaa != null
    error_message = "create_mwaa: true or false."
  }
}

variable "create_msk_serverless" {
  type        = bool
  description = "Whether to make an MSK Serverless cluster. It takes IAM log-ins only, and today's Kafka client logs in by SASL/PLAIN."
  default     = false
  validation {
    condition     = var.create_msk_serverless != null
    error_message = "create_msk_serverless: true or false."
  }
}

variable "create_budget" {
  type        = bool
  description = "Whether to make the monthly budget. Off where the AWS API has no Budgets, or where the account's owner keeps one."
  default     = true
  validation {
    condition     = var.create_budget != null
    error_message = "create_budget: true or false."
  }
}

variable "github_repository" {
  type        = string
  description = "Repository, owner/name, whose jobs may plan and deploy. Empty: no roles for GitHub."
  default     = ""
  validation {
    condition     = var.github_repository == "" || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository: owner/name."
  }
}
