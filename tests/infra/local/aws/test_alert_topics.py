"""The topics of alerts on the local AWS, as `make up` makes them."""

from __future__ import annotations

import json

from infra.local import bootstrap
from jobs.alerts.publish import topic
from jobs.alerts.severity import SEVERITIES
from tests.infra.local.aws.stand_in import Server


def test_make_up_makes_the_topics_that_airflow_and_jobs_are_told_of_and_they_deliver(server: Server) -> None:
    made = bootstrap.alert_topics(server.addresses)
    assert bootstrap.alert_topics(server.addresses) == made  # a second `make up` changes nothing
    told_of = server.addresses.environment()["SLUICE_ALERT_TOPICS"]
    assert made == [topic(told_of, severity) for severity in SEVERITIES]

    sns, sqs = server.client("sns"), server.client("sqs")
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=made[0], Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=made[0], Message="hello")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["Message"] == "hello"
