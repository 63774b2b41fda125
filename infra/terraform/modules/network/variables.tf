variable "project" {
  type        = string
  description = "Name of the deployment: begins the names of what the module makes."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.project))
    error_message = "project: 2 to 21 lower-case letters, digits and dashes, a letter first."
  }
}

variable "cidr" {
  type        = string
  description = "Addresses of the network, /16 to /20. EMR Serverless takes one address for each worker."
  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr: an IPv4 network of /16 to /20, such as 10.40.0.0/16."
  }
}

variable "zones" {
  type        = list(string)
  description = "Availability zones, each with one private subnet. MWAA asks for exactly two of them."
  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones: two to four different availability zones."
  }
}

variable "endpoint_zones" {
  type        = number
  description = "In how many zones each interface endpoint stands; each is billed by the hour. With one, that zone's loss stops the platform."
  default     = 2
  validation {
    condition     = var.endpoint_zones >= 1 && var.endpoint_zones <= 4
    error_message = "endpoint_zones: 1 to 4."
  }
}

variable "way_to_sources" {
  type        = bool
  description = "Whether a NAT gateway leads to sources on the internet (ECB, Salesforce, Snowflake and Kafka without PrivateLink). AWS itself needs none."
  validation {
    condition     = var.way_to_sources != null
    error_message = "way_to_sources: true or false."
  }
}

variable "source_ports" {
  type        = set(number)
  description = "TCP ports of sources on the internet: 443, and Kafka's."
  default     = [443, 9092]
  validation {
    condition     = alltrue([for port in var.source_ports : port > 0 && port < 65536 && floor(port) == port])
    error_message = "source_ports: TCP ports."
  }
}

variable "log_group_key" {
  type        = string
  description = "ARN of the KMS key of the flow log."
  validation {
    condition     = startswith(var.log_group_key, "arn:")
    error_message = "log_group_key: the ARN of a key."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days for which the flow log is kept."
  validation {
    condition     = contains([14, 30, 60, 90, 120, 180, 365], var.log_retention_days)
    error_message = "log_retention_days: one of CloudWatch's: 14, 30, 60, 90, 120, 180, 365."
  }
}
