variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "registry" {
  type = object({
    dags            = list(string)
    pipelines       = list(string)
    silver_tables   = list(string)
    streamed_tables = list(string)
    watched_tables  = list(string)
  })
  description = "What the registry of the code has; infra/provision/registry.py reads it, so that a new table has its alarms."
  validation {
    condition     = length(var.registry.dags) > 0 && length(var.registry.pipelines) > 0
    error_message = "registry: at least one DAG and one pipeline."
  }
}

variable "topics" {
  type        = map(string)
  description = "ARN of each severity's topic."
  validation {
    condition     = alltrue([for severity in ["critical", "high", "medium", "low"] : contains(keys(var.topics), severity)])
    error_message = "topics: critical, high, medium and low."
  }
}

variable "queues" {
  type        = list(string)
  description = "Queues of alerts, whose oldest message is watched."
  default     = []
  validation {
    condition     = length(distinct(var.queues)) == length(var.queues)
    error_message = "queues: each once."
  }
}

variable "thresholds" {
  type        = map(number)
  description = "Thresholds that differ from those of alarms.json, by the alarm's name."
  default     = {}
  validation {
    condition     = alltrue([for value in values(var.thresholds) : value >= 0])
    error_message = "thresholds: no negative numbers."
  }
}

variable "prices" {
  type        = object({ vcpu_hour = number, memory_gb_hour = number })
  description = "US dollars of EMR Serverless in this region and architecture: https://aws.amazon.com/emr/pricing/. Defaults are those of ARM in us-east-1; put your own."
  default     = { vcpu_hour = 0.042094, memory_gb_hour = 0.004628 }
  validation {
    condition     = var.prices.vcpu_hour > 0 && var.prices.memory_gb_hour > 0
    error_message = "prices: above 0."
  }
}

variable "budget" {
  type = object({
    create  = bool
    dollars = number
    emails  = list(string)
  })
  description = "Monthly limit in US dollars, of which people are told at 80 and 100 per cent. An AWS API without Budgets has none to make."
  default     = { create = false, dollars = 100, emails = [] }
  validation {
    condition     = var.budget.dollars > 0 && (!var.budget.create || length(var.budget.emails) > 0)
    error_message = "budget: above 0 dollars, and at least one address when it is made."
  }
}
