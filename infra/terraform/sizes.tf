# What differs between environments: sizes, how long things are kept, whom alerts reach.
variable "log_retention_days" {
  type        = number
  description = "Days for which logs are kept: 14 in dev, 30 in staging, 90 in prod."
  validation {
    condition     = contains([14, 30, 90], var.log_retention_days)
    error_message = "log_retention_days: 14, 30 or 90."
  }
}

variable "network" {
  type = object({
    cidr           = string
    zones          = list(string)
    endpoint_zones = number
    way_to_sources = bool
    source_ports   = optional(set(number), [443, 9092])
  })
  description = "The network: addresses, availability zones, in how many of them endpoints stand, whether a NAT gateway leads to sources."
  validation {
    condition     = length(var.network.zones) >= 2
    error_message = "network.zones: at least two, as MWAA asks."
  }
}

variable "emr" {
  type = object({
    architecture = optional(string, "ARM64")
    maximum      = object({ vcpu = number, memory = number, disk = number })
    ready        = optional(map(object({ count = number, vcpu = number, memory = number })), {})
    idle_minutes = optional(number, 15)
  })
  description = "EMR Serverless: processor, limit of all workers together, workers kept ready, minutes until it stops."
  validation {
    condition     = var.emr.maximum.vcpu > 0
    error_message = "emr.maximum: above 0."
  }
}

variable "airflow" {
  type = object({
    version     = optional(string, "3.2.1")
    class       = string
    min_workers = number
    max_workers = number
    webservers  = optional(number, 2)
    schedulers  = optional(number, 2)
    web_access  = optional(string, "PRIVATE_ONLY")
  })
  description = "MWAA: version, class, workers."
  validation {
    condition     = var.airflow.max_workers >= var.airflow.min_workers
    error_message = "airflow: max_workers is not below min_workers."
  }
}

variable "alerts" {
  type = object({
    emails = map(list(string))
    phones = optional(map(list(string)), {})
    queues = optional(map(list(string)), {})
  })
  description = "Whom alerts reach, by severity; queues by channel."
  validation {
    condition     = length(var.alerts.emails) > 0
    error_message = "alerts.emails: at least one severity reaches somebody."
  }
}

variable "thresholds" {
  type        = map(number)
  description = "Thresholds of alarms that differ from modules/observability/alarms.json, by name."
  default     = {}
  validation {
    condition     = alltrue([for value in values(var.thresholds) : value >= 0])
    error_message = "thresholds: no negative numbers."
  }
}

variable "prices" {
  type        = object({ vcpu_hour = number, memory_gb_hour = number })
  description = "US dollars of EMR Serverless in this region and architecture."
  default     = { vcpu_hour = 0.042094, memory_gb_hour = 0.004628 }
  validation {
    condition     = var.prices.vcpu_hour > 0
    error_message = "prices: above 0."
  }
}

variable "budget_dollars" {
  type        = number
  description = "Monthly limit in US dollars, of which people are told at 80 and 100 per cent."
  validation {
    condition     = var.budget_dollars > 0
    error_message = "budget_dollars: above 0."
  }
}

variable "scan_limit_gb" {
  type        = number
  description = "A query of Athena that would scan more is cancelled."
  default     = 100
  validation {
    condition     = var.scan_limit_gb >= 1
    error_message = "scan_limit_gb: at least 1."
  }
}

variable "audit_locked" {
  type        = bool
  description = "Whether the trail is locked for its six years: nobody can delete it then."
  validation {
    condition     = var.audit_locked || var.environment != "prod"
    error_message = "audit_locked: true in prod."
  }
}

variable "destroy_data" {
  type        = bool
  description = "Whether `terraform destroy` may delete buckets with objects, and secrets and keys without a delay. Never in prod."
  default     = false
  validation {
    condition     = !var.destroy_data || var.environment != "prod"
    error_message = "destroy_data: never in prod."
  }
}
