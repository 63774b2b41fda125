variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "create" {
  type        = bool
  description = "Whether to make the environment. Its role is made in any case. An AWS API without MWAA (a stand-in) has none to make."
  default     = true
  validation {
    condition     = var.create != null
    error_message = "create: true or false."
  }
}

variable "airflow_version" {
  type        = string
  description = "Airflow of MWAA; DAGs and plugins are tested under Amazon's pins of it."
  default     = "3.2.1"
  validation {
    condition     = contains(["3.2.1", "3.3.1"], var.airflow_version)
    error_message = "airflow_version: 3.2.1 or 3.3.1; other versions are not tested."
  }
}

variable "size" {
  type = object({
    class       = string
    min_workers = number
    max_workers = number
    webservers  = number
    schedulers  = number
  })
  description = "Size of the environment."
  validation {
    condition     = startswith(var.size.class, "mw1.") && var.size.min_workers >= 1 && var.size.max_workers >= var.size.min_workers && var.size.schedulers >= 2
    error_message = "size: a class mw1.*, at least one worker and two schedulers."
  }
}

variable "subnets" {
  type        = list(string)
  description = "Two private subnets in different zones."
  validation {
    condition     = length(var.subnets) == 2
    error_message = "subnets: exactly two."
  }
}

variable "security_group" {
  type        = string
  description = "Security group of Airflow's parts."
  validation {
    condition     = length(var.security_group) > 0
    error_message = "security_group: the id of a group."
  }
}

variable "web_access" {
  type        = string
  description = "Where the web server is reached: PRIVATE_ONLY from the network, PUBLIC_ONLY from the internet with AWS log-in."
  default     = "PRIVATE_ONLY"
  validation {
    condition     = contains(["PRIVATE_ONLY", "PUBLIC_ONLY"], var.web_access)
    error_message = "web_access: PRIVATE_ONLY or PUBLIC_ONLY."
  }
}

variable "artefacts" {
  type = object({
    dags                 = string
    requirements         = string
    requirements_version = optional(string)
    plugins              = string
    plugins_version      = optional(string)
    startup              = string
    startup_version      = string
  })
  description = "Keys in the code bucket, and their object versions: MWAA takes plugins, requirements and start-up script anew only when a version changes."
  validation {
    condition     = alltrue([for key in [var.artefacts.dags, var.artefacts.requirements, var.artefacts.plugins, var.artefacts.startup] : !startswith(key, "/")])
    error_message = "artefacts: keys do not begin with a slash."
  }
}

variable "lake_prefixes" {
  type        = object({ read = list(string), write = list(string) })
  description = "Prefixes of the lake that DAGs and the quality page read and write."
  default = {
    read  = ["ops/alerts/", "ops/streams/", "ops/recorded/", "ops/quality/", "gold/quality/", "_control/"]
    write = ["ops/alerts/", "ops/openlineage/", "_control/"]
  }
  validation {
    condition     = alltrue([for prefix in concat(var.lake_prefixes.read, var.lake_prefixes.write) : endswith(prefix, "/")])
    error_message = "lake_prefixes: each ends with a slash."
  }
}

variable "job_roles" {
  type        = list(string)
  description = "Roles that DAGs give to job runs."
  validation {
    condition     = length(var.job_roles) > 0
    error_message = "job_roles: at least one."
  }
}

variable "topics" {
  type        = list(string)
  description = "ARNs of the topics of alerts."
  validation {
    condition     = length(var.topics) > 0
    error_message = "topics: at least one."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days for which Airflow's logs are kept."
  validation {
    condition     = contains([14, 30, 60, 90, 120, 180, 365], var.log_retention_days)
    error_message = "log_retention_days: one of CloudWatch's: 14, 30, 60, 90, 120, 180, 365."
  }
}

variable "lake" {
  type        = string
  description = "Bucket of the lake."
  validation {
    condition     = startswith(var.lake, "arn:")
    error_message = "lake: an ARN."
  }
}

variable "code" {
  type        = string
  description = "Bucket of DAGs, plugins and releases."
  validation {
    condition     = startswith(var.code, "arn:")
    error_message = "code: an ARN."
  }
}

variable "logs" {
  type        = string
  description = "Bucket of job runs' logs."
  validation {
    condition     = startswith(var.logs, "arn:")
    error_message = "logs: an ARN."
  }
}

variable "application" {
  type        = string
  description = "EMR Serverless application."
  validation {
    condition     = startswith(var.application, "arn:")
    error_message = "application: an ARN."
  }
}

variable "data_key" {
  type        = string
  description = "KMS key of the lake."
  validation {
    condition     = startswith(var.data_key, "arn:")
    error_message = "data_key: an ARN."
  }
}

variable "operations_key" {
  type        = string
  description = "KMS key of the code bucket; MWAA asks that the environment has the same."
  validation {
    condition     = startswith(var.operations_key, "arn:")
    error_message = "operations_key: an ARN."
  }
}

variable "alerts_key" {
  type        = string
  description = "KMS key of the topics."
  validation {
    condition     = startswith(var.alerts_key, "arn:")
    error_message = "alerts_key: an ARN."
  }
}
