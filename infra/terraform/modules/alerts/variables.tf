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
  description = "KMS key of topics and queues."
  validation {
    condition     = startswith(var.key, "arn:")
    error_message = "key: an ARN."
  }
}

variable "severities" {
  type        = list(string)
  description = "Severities; the code publishes to <project>-alerts-<severity>."
  default     = ["critical", "high", "medium", "low"]
  validation {
    condition     = toset(var.severities) == toset(["critical", "high", "medium", "low"])
    error_message = "severities: critical, high, medium and low, as the code knows them."
  }
}

variable "emails" {
  type        = map(list(string))
  description = "E-mail addresses by severity. Each address confirms by a link that AWS sends."
  default     = {}
  validation {
    condition = alltrue(concat(
      [for severity in keys(var.emails) : contains(["critical", "high", "medium", "low"], severity)],
      [for address in flatten(values(var.emails)) : can(regex("^[^@\\s]+@[^@\\s]+$", address))],
    ))
    error_message = "emails: severities with lists of addresses."
  }
}

variable "phones" {
  type        = map(list(string))
  description = "Phone numbers by severity, critical and high only."
  default     = {}
  validation {
    condition = alltrue(concat(
      [for severity in keys(var.phones) : contains(["critical", "high"], severity)],
      [for number in flatten(values(var.phones)) : can(regex("^\\+[1-9][0-9]{6,14}$", number))],
    ))
    error_message = "phones: for critical and high, numbers such as +441234567890."
  }
}

variable "queues" {
  type        = map(list(string))
  description = "Channels (slack, pagerduty) that get a queue, with their severities. A pipe with the channel's secret address reads it; docs/deployment.md says how."
  default     = {}
  validation {
    condition = alltrue(concat(
      [for channel in keys(var.queues) : contains(["slack", "pagerduty"], channel)],
      [for severity in flatten(values(var.queues)) : contains(["critical", "high", "medium", "low"], severity)],
    ))
    error_message = "queues: slack and pagerduty, each with severities."
  }
}
