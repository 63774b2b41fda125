variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "release_label" {
  type        = string
  description = "EMR release; its Spark and Delta are those that the job environment is pinned to."
  default     = "emr-spark-8.1.0"
  validation {
    condition     = can(regex("^emr-(spark-)?[0-9]+\\.[0-9]+\\.[0-9]+$", var.release_label))
    error_message = "release_label: such as emr-spark-8.1.0."
  }
}

variable "architecture" {
  type        = string
  description = "Processor of the workers. The release's Python archive must be built for it."
  default     = "ARM64"
  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture: ARM64 or X86_64."
  }
}

variable "subnets" {
  type        = list(string)
  description = "Private subnets of the workers."
  validation {
    condition     = length(var.subnets) > 0
    error_message = "subnets: at least one."
  }
}

variable "security_group" {
  type        = string
  description = "Security group of the workers."
  validation {
    condition     = length(var.security_group) > 0
    error_message = "security_group: the id of a group."
  }
}

variable "maximum" {
  type = object({
    vcpu   = number
    memory = number
    disk   = number
  })
  description = "Limit of everything that runs at once: vCPU, GB of memory, GB of disk. It bounds the bill."
  validation {
    condition     = var.maximum.vcpu >= 4 && var.maximum.memory >= 2 * var.maximum.vcpu && var.maximum.disk >= 20
    error_message = "maximum: at least 4 vCPU, 2 GB of memory for each, 20 GB of disk."
  }
}

variable "ready" {
  type = map(object({
    count  = number
    vcpu   = number
    memory = number
  }))
  description = "Pre-initialised workers, by kind (Driver, Executor): they are billed as long as the application runs. Empty for none."
  default     = {}
  validation {
    condition     = alltrue([for kind, worker in var.ready : contains(["Driver", "Executor"], kind) && worker.count > 0 && contains([1, 2, 4, 8, 16], worker.vcpu)])
    error_message = "ready: Driver and Executor, each with a count of at least 1 and 1, 2, 4, 8 or 16 vCPU."
  }
}

variable "idle_minutes" {
  type        = number
  description = "Minutes without a job run after which the application stops, and its ready workers with it."
  default     = 15
  validation {
    condition     = var.idle_minutes >= 1 && var.idle_minutes <= 10080
    error_message = "idle_minutes: 1 to 10080."
  }
}
