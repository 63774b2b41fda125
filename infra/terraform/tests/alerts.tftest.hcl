# Plans with the real provider and no AWS: policies are documents that the provider makes by itself.
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}

override_data {
  target = data.aws_caller_identity.here
  values = { account_id = "123456789012", id = "123456789012", arn = "arn:aws:iam::123456789012:user/test", user_id = "test" }
}

variables {
  project = "sluice"
  key     = "arn:aws:kms:us-east-1:123456789012:key/alerts"
  emails  = { critical = ["a@example.com", "b@example.com"], low = ["a@example.com"] }
  phones  = { critical = ["+441234567890"] }
  queues  = { slack = ["critical", "low"] }
}

override_resource {
  target          = aws_sns_topic.of
  override_during = plan
  values          = { arn = "arn:aws:sns:us-east-1:123456789012:sluice-alerts-critical" }
}

run "each_severity_has_the_topic_that_the_code_publishes_to" {
  command = plan
  module {
    source = "./modules/alerts"
  }

  assert {
    condition     = toset([for topic in aws_sns_topic.of : topic.name]) == toset(["sluice-alerts-critical", "sluice-alerts-high", "sluice-alerts-medium", "sluice-alerts-low"])
    error_message = "the code publishes to <project>-alerts-<severity>"
  }
  assert {
    condition     = output.prefix == "arn:aws:sns:us-east-1:123456789012:sluice-alerts"
    error_message = "SLUICE_ALERT_TOPICS is what the topics' ARNs begin with"
  }
  assert {
    condition     = alltrue([for topic in aws_sns_topic.of : topic.kms_master_key_id == var.key])
    error_message = "a topic is not encrypted by the own key"
  }
}

run "people_get_what_is_for_people_and_alarms" {
  command = plan
  module {
    source = "./modules/alerts"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 3 && length(aws_sns_topic_subscription.phone) == 1
    error_message = "somebody is not subscribed"
  }
  assert {
    condition     = alltrue([for subscription in aws_sns_topic_subscription.email : jsondecode(subscription.filter_policy).channel[0] == "people" && jsondecode(subscription.filter_policy).channel[1].exists == false])
    error_message = "people would get JSON for machines, or no alarms"
  }
}

run "a_channel_s_queue_gets_its_own_messages_raw" {
  command = plan
  module {
    source = "./modules/alerts"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.queue) == 2 && alltrue([for subscription in aws_sns_topic_subscription.queue : subscription.raw_message_delivery && jsondecode(subscription.filter_policy).channel == ["slack"]])
    error_message = "Slack would get other channels' messages, or wrapped ones"
  }
}

run "phones_ring_for_critical_and_high_only" {
  command = plan
  module {
    source = "./modules/alerts"
  }

  variables {
    phones = { low = ["+441234567890"] }
  }
  expect_failures = [var.phones]
}
