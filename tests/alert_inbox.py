"""A person's inbox: SQS queues that are subscribed to the topics of all severities, as a deployment does it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

CHANNELS = ("people", "slack", "pagerduty")


class Inbox:
    """Everything that was told on the topics of one project."""

    def __init__(self, project: str = "") -> None:
        import boto3

        self.project = project or f"p{uuid4().hex[:8]}"
        self._sns, self._sqs = boto3.client("sns"), boto3.client("sqs")
        self._queues: dict[str, str] = {}
        topics = {}
        for severity in ("critical", "high", "medium", "low"):
            topics[severity] = self._sns.create_topic(Name=f"{self.project}-alerts-{severity}")["TopicArn"]
        self.topics = topics["low"].removesuffix("-low")
        for channel in CHANNELS:
            url = self._sqs.create_queue(QueueName=f"{self.project}-{channel}")["QueueUrl"]
            named = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            raw = {} if channel == "people" else {"RawMessageDelivery": "true"}
            for arn in topics.values():
                self._sns.subscribe(
                    TopicArn=arn, Protocol="sqs", Endpoint=named["Attributes"]["QueueArn"],
                    Attributes={"FilterPolicy": json.dumps({"channel": [channel]}), **raw},
                )  # fmt: skip
            self._queues[channel] = url

    def received(self, channel: str = "people") -> list[dict[str, Any]]:
        """What came since it was last looked at, in the order in which it was told."""
        found = []
        while messages := self._sqs.receive_message(QueueUrl=self._queues[channel], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                self._sqs.delete_message(QueueUrl=self._queues[channel], ReceiptHandle=message["ReceiptHandle"])
                body = json.loads(message["Body"])
                if channel != "people":
                    found.append(body)
                    continue
                severity = body["TopicArn"].rpartition("-")[2]
                found.append({**json.loads(body["Message"]), "topic": severity, "subject": body["Subject"]})
        return found

    def titles(self) -> list[str]:
        return [f"{one['event']} {one['title']}" for one in self.received()]
