"""An alert that is published reaches whoever is subscribed, each in its own shape."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest

from infra.local.addresses import Addresses
from jobs.alerts.publish import publish, topic
from jobs.alerts.severity import SEVERITIES
from jobs.lake.errors import ConfigurationError, TransientError
from jobs.lake.state import metrics
from tests.alert_inbox import Inbox
from tests.jobs.alerts.test_message import GATE


@pytest.fixture
def inbox(lake: str) -> Inbox:
    return Inbox()


@pytest.mark.parametrize("severity", SEVERITIES)
def test_alert_comes_by_the_topic_of_its_severity(inbox: Inbox, severity: str) -> None:
    publish(replace(GATE, severity=severity), inbox.topics)
    (told,) = inbox.received()
    assert (told["topic"], told["severity"], told["title"]) == (severity, severity, GATE.title)
    assert told["subject"] == f"[sluice {severity}] {GATE.title}"
    assert [one["text"] for one in inbox.received("slack")] == [f"[sluice {severity}] {GATE.title}"]
    pages = [one["dedup_key"] for one in inbox.received("pagerduty")]
    assert pages == ([GATE.key] if severity in ("critical", "high") else [])


def test_alert_can_be_limited_to_a_channel(inbox: Inbox) -> None:
    publish(GATE, inbox.topics, channels=("pagerduty",))
    assert (len(inbox.received()), len(inbox.received("slack")), len(inbox.received("pagerduty"))) == (0, 0, 1)


def test_topic_that_is_missing_or_not_set_is_a_fault_of_the_configuration(inbox: Inbox) -> None:
    with pytest.raises(ConfigurationError, match="nobody-alerts-critical: SNS refused the alert"):
        publish(GATE, inbox.topics.replace(inbox.project, "nobody"))
    with pytest.raises(ConfigurationError, match="SLUICE_ALERT_TOPICS is not set"):
        publish(GATE, "")


def test_sns_that_does_not_answer_is_named(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(TransientError, match="SNS does not answer: EndpointConnectionError"):
        publish(GATE, inbox.topics)


def test_local_platform_names_the_topics_that_it_makes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    addresses = Addresses(tmp_path, 8100)
    made = addresses.environment()["SLUICE_ALERT_TOPICS"]
    assert topic(made, "low") == "arn:aws:sns:eu-west-1:123456789012:sluice-alerts-low"


def test_figure_that_no_alarm_knows_is_refused(lake: str) -> None:
    for figures, dimensions in (
        ({"NewFigure": 1.0}, {"Dag": "d"}),
        ({"TasksFailed": 1.0}, {"Table": "t"}),
        ({"TasksFailed": 1.0}, {}),
    ):
        with pytest.raises(ValueError, match="METRICS has no"):
            metrics.send(figures, **dimensions)


def test_figure_reaches_cloudwatch_with_its_unit_and_dimensions(lake: str) -> None:
    metrics.send({"GateFailed": True}, Pipeline="lakehouse")
    metrics.send({"AlertsNotSent": 1})
    wanted = {"Name": "Project", "Value": lake}
    found = {
        one["MetricName"]: one["Dimensions"]
        for one in boto3.client("cloudwatch").list_metrics(Namespace="Sluice")["Metrics"]
        if wanted in one["Dimensions"]
    }
    assert found == {
        "GateFailed": [wanted, {"Name": "Pipeline", "Value": "lakehouse"}],
        "AlertsNotSent": [wanted],
    }


def test_figure_that_can_t_be_sent_stops_nothing(
    lake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    metrics.send({"AlertsNotSent": 1})
    assert "metrics could not be sent: EndpointConnectionError" in capsys.readouterr().out
