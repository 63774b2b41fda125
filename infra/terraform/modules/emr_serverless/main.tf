resource "aws_emrserverless_application" "own" {
  name          = var.project
  release_label = var.release_label
  type          = "SPARK" # Terraform's provider keeps it in capitals in the state of some releases, and AWS takes both
  architecture  = var.architecture

  maximum_capacity {
    cpu    = "${var.maximum.vcpu} vCPU"
    memory = "${var.maximum.memory} GB"
    disk   = "${var.maximum.disk} GB"
  }

  dynamic "initial_capacity" {
    for_each = var.ready
    content {
      initial_capacity_type = initial_capacity.key
      initial_capacity_config {
        worker_count = initial_capacity.value.count
        worker_configuration {
          cpu    = "${initial_capacity.value.vcpu} vCPU"
          memory = "${initial_capacity.value.memory} GB"
        }
      }
    }
  }

  auto_start_configuration {
    enabled = true # the operator starts no application
  }

  auto_stop_configuration {
    enabled              = true
    idle_timeout_minutes = var.idle_minutes
  }

  network_configuration {
    subnet_ids         = var.subnets
    security_group_ids = [var.security_group]
  }
}
