locals {
  iam_port = 9098 # MSK's for IAM log-ins
}

resource "aws_msk_serverless_cluster" "own" {
  count        = var.create_msk_serverless ? 1 : 0
  cluster_name = var.project
  vpc_config {
    subnet_ids         = var.subnets
    security_group_ids = [aws_security_group.brokers[0].id]
  }
  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}

resource "aws_security_group" "brokers" {
  #checkov:skip=CKV2_AWS_5:The cluster above has it, where there is one.
  count       = var.create_msk_serverless ? 1 : 0
  name        = "${var.project}-brokers"
  description = "Kafka brokers"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "work_to_brokers" {
  count                        = var.create_msk_serverless ? 1 : 0
  security_group_id            = aws_security_group.brokers[0].id
  referenced_security_group_id = var.work_group
  description                  = "jobs"
  ip_protocol                  = "tcp"
  from_port                    = local.iam_port
  to_port                      = local.iam_port
}

resource "aws_vpc_security_group_egress_rule" "work_to_brokers" {
  count                        = var.create_msk_serverless ? 1 : 0
  security_group_id            = var.work_group
  referenced_security_group_id = aws_security_group.brokers[0].id
  description                  = "Kafka"
  ip_protocol                  = "tcp"
  from_port                    = local.iam_port
  to_port                      = local.iam_port
}

# What a stream's role needs of this cluster; attached once the client can log in by IAM.
data "aws_iam_policy_document" "read" {
  count = var.create_msk_serverless ? 1 : 0
  statement {
    sid       = "Connect"
    actions   = ["kafka-cluster:Connect"]
    resources = [aws_msk_serverless_cluster.own[0].arn]
  }
  statement {
    sid     = "ReadTopics"
    actions = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData", "kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup"]
    resources = [
      "${replace(aws_msk_serverless_cluster.own[0].arn, ":cluster/", ":topic/")}/*",
      "${replace(aws_msk_serverless_cluster.own[0].arn, ":cluster/", ":group/")}/*",
    ]
  }
}
