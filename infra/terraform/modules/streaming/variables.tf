variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "create_msk_serverless" {
  type        = bool
  description = "Whether to make an MSK Serverless cluster; otherwise the secret of Kafka names an existing one. MSK Serverless takes IAM log-ins only, which today's Kafka client has not."
  default     = false
  validation {
    condition     = var.create_msk_serverless != null
    error_message = "create_msk_serverless: true or false."
  }
}

variable "vpc_id" {
  type        = string
  description = "The network."
  validation {
    condition     = length(var.vpc_id) > 0
    error_message = "vpc_id: the id of a network."
  }
}

variable "subnets" {
  type        = list(string)
  description = "Private subnets in at least two zones."
  validation {
    condition     = length(var.subnets) >= 2
    error_message = "subnets: at least two."
  }
}

variable "work_group" {
  type        = string
  description = "Security group of the jobs, which may reach the brokers."
  validation {
    condition     = length(var.work_group) > 0
    error_message = "work_group: the id of a group."
  }
}
