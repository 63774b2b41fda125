# Private subnets. Jobs and Airflow reach AWS through endpoints and never through the internet.
data "aws_region" "here" {}

resource "aws_vpc" "own" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # endpoints have private names
  tags                 = { Name = var.project }
}

# The default group lets all members talk; nothing uses it, so nothing may.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.own.id
}

resource "aws_subnet" "private" {
  for_each          = { for number, zone in var.zones : zone => number }
  vpc_id            = aws_vpc.own.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 3, each.value)
  tags              = { Name = "${var.project}-private-${each.key}" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.own.id
  tags   = { Name = "${var.project}-private" }
}

resource "aws_route_table_association" "private" {
  for_each       = aws_subnet.private
  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}
