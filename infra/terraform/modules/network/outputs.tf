output "vpc_id" {
  description = "The network."
  value       = aws_vpc.own.id
}

output "subnets" {
  description = "Private subnets, in the order of the zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "work_group" {
  description = "Security group in which jobs and Airflow run."
  value       = aws_security_group.work.id
}
