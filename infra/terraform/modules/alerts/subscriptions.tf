locals {
  # Alarms of CloudWatch carry no channel: they go to people as well.
  people = jsonencode({ channel = ["people", { exists = false }] })
  emails = merge([for severity, addresses in var.emails : { for address in addresses : "${severity} ${address}" => { severity = severity, address = address } }]...)
  phones = merge([for severity, numbers in var.phones : { for number in numbers : "${severity} ${number}" => { severity = severity, number = number } }]...)
  queued = merge([for channel, severities in var.queues : { for severity in severities : "${channel} ${severity}" => { channel = channel, severity = severity } }]...)
}

resource "aws_sns_topic_subscription" "email" {
  for_each      = local.emails
  topic_arn     = aws_sns_topic.of[each.value.severity].arn
  protocol      = "email"
  endpoint      = each.value.address
  filter_policy = local.people
}

resource "aws_sns_topic_subscription" "phone" {
  for_each      = local.phones
  topic_arn     = aws_sns_topic.of[each.value.severity].arn
  protocol      = "sms"
  endpoint      = each.value.number
  filter_policy = local.people
}

resource "aws_sqs_queue" "channel" {
  for_each                  = var.queues
  name                      = "${var.project}-alerts-${each.key}"
  kms_master_key_id         = var.key
  message_retention_seconds = 4 * 24 * 3600
  redrive_policy            = jsonencode({ deadLetterTargetArn = aws_sqs_queue.undelivered[each.key].arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue" "undelivered" {
  for_each                  = var.queues
  name                      = "${var.project}-alerts-${each.key}-undelivered"
  kms_master_key_id         = var.key
  message_retention_seconds = 14 * 24 * 3600
}

resource "aws_sqs_queue_policy" "channel" {
  for_each  = aws_sqs_queue.channel
  queue_url = each.value.url
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

data "aws_iam_policy_document" "queue" {
  for_each = aws_sqs_queue.channel
  statement {
    sid       = "TopicsOfAlerts"
    actions   = ["sqs:SendMessage"]
    resources = [each.value.arn]
    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [for severity in var.queues[each.key] : aws_sns_topic.of[severity].arn]
    }
  }
}

resource "aws_sns_topic_subscription" "queue" {
  for_each             = local.queued
  topic_arn            = aws_sns_topic.of[each.value.severity].arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.channel[each.value.channel].arn
  raw_message_delivery = true
  filter_policy        = jsonencode({ channel = [each.value.channel] })
}
