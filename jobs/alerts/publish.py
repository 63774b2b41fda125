"""Publishes an alert to the topic of its severity. Standard library only until it sends."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jobs.alerts import message
from jobs.alerts.alert import Alert
from jobs.lake.errors import ConfigurationError, TransientError

# Seconds. Whoever sends an alert has other work; a topic that doesn't answer must not hold it up.
CONNECT, READ, ATTEMPTS = 3, 5, 2


def topic(topics: str, severity: str) -> str:
    """ARN of a severity's topic.

    Args:
        topics: what the ARNs of all topics begin with, `arn:aws:sns:<region>:<account>:<project>-alerts`.
        severity: of the alert.
    """
    return f"{topics}-{severity}"


def publish(alert: Alert, topics: str, *, channels: Collection[str] | None = None) -> None:
    """Publishes an alert in one request, or raises.

    Args:
        alert: to tell.
        topics: as `topic`; `settings.alert_topics()`.
        channels: limits it to these messages (`message.entries`); None for all of its severity.

    Raises:
        ConfigurationError: no topics are set, or a topic does not exist, or may not be published to.
        TransientError: SNS does not answer, or refuses a message.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    if not topics:
        raise ConfigurationError("SLUICE_ALERT_TOPICS is not set: set it to where the ARNs of the topics begin")
    entries = [entry for entry in message.entries(alert) if channels is None or entry["Id"] in channels]
    if not entries:
        return
    arn = topic(topics, alert.severity)
    try:
        answer = client(arn).publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)
    except ClientError as error:
        raise ConfigurationError(f"{arn}: SNS refused the alert: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise TransientError(f"{arn}: SNS does not answer: {type(error).__name__}") from error
    if failed := answer.get("Failed"):
        refused = ", ".join(f"{one['Id']} ({one['Code']})" for one in failed)
        raise TransientError(f"{arn}: SNS refused {refused}")


def client(arn: str) -> Any:
    """A boto3 client for SNS in the topic's region, which gives up soon."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=CONNECT, read_timeout=READ, retries={"total_max_attempts": ATTEMPTS})
    return boto3.client("sns", region_name=arn.split(":")[3] or None, config=patience)
