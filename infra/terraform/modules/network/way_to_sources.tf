# The one way to the internet, and only outwards. Without it, sources must be reached by PrivateLink or a mirror.
locals {
  nat = var.way_to_sources ? toset(["own"]) : toset([])
}

resource "aws_internet_gateway" "own" {
  for_each = local.nat
  vpc_id   = aws_vpc.own.id
  tags     = { Name = var.project }
}

resource "aws_subnet" "public" {
  for_each          = local.nat
  vpc_id            = aws_vpc.own.id
  availability_zone = var.zones[0]
  cidr_block        = cidrsubnet(var.cidr, 3, 7)
  tags              = { Name = "${var.project}-nat" }
}

resource "aws_route_table" "public" {
  for_each = local.nat
  vpc_id   = aws_vpc.own.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.own["own"].id
  }
  tags = { Name = "${var.project}-nat" }
}

resource "aws_route_table_association" "public" {
  for_each       = local.nat
  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public[each.key].id
}

resource "aws_eip" "nat" {
  for_each = local.nat
  domain   = "vpc"
  tags     = { Name = "${var.project}-nat" }
}

resource "aws_nat_gateway" "own" {
  for_each      = local.nat
  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = { Name = var.project }
}

resource "aws_route" "to_sources" {
  for_each               = local.nat
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.own[each.key].id
}
