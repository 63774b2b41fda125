"""An alert in the shape of each channel, against what SNS, Slack and PagerDuty document."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from jobs.alerts import message
from jobs.alerts.alert import ALERT, RECOVERY, SUMMARY, Alert
from jobs.alerts.severity import SEVERITIES

GATE = Alert(
    event=ALERT,
    severity="critical",
    kind="data",
    error="GateError",
    source="daily_lakehouse",
    title="daily_lakehouse: gate: GateError",
    what="Task gate.silver of run r1 failed.",
    meaning="Gold keeps what it published last.",
    action="Mend <the data> & clear the gate.",
    section="Troubleshooting",
    key="daily_lakehouse/0123456789ab",
    links=(("Task and its log", "http://airflow/dags/daily_lakehouse/runs/r1/tasks/gate.silver?try_number=3"),),
    at=datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC),
)
LONG = replace(GATE, title="ä" * 4000, what="w" * 9000, key="k" * 400)


def entry(alert: Alert, channel: str) -> dict[str, Any]:
    (found,) = [one for one in message.entries(alert) if one["Id"] == channel]
    return found


@pytest.mark.parametrize(
    ("severity", "channels", "protocols"),
    [
        ("critical", ["people", "slack", "pagerduty"], {"default", "email", "sms"}),
        ("high", ["people", "slack", "pagerduty"], {"default", "email", "sms"}),
        ("medium", ["people", "slack"], {"default", "email"}),
        ("low", ["people", "slack"], {"default", "email"}),
    ],
)
def test_severity_decides_the_channels(severity: str, channels: list[str], protocols: set[str]) -> None:
    alert = replace(GATE, severity=severity)
    assert [one["Id"] for one in message.entries(alert)] == channels
    assert set(json.loads(entry(alert, "people")["Message"])) == protocols


def test_every_message_can_be_filtered_by_its_attributes() -> None:
    for one in message.entries(GATE):
        attributes = {name: value["StringValue"] for name, value in one["MessageAttributes"].items()}
        assert attributes == {"channel": one["Id"], "severity": "critical", "event": "alert", "kind": "data"}


def test_e_mail_says_what_failed_what_it_means_what_is_safe_and_where_to_look() -> None:
    text = message.email(GATE)
    parts = ["What happened", GATE.what, "What it means", GATE.meaning, "What is safe to do", GATE.action]
    parts += ["Where to look", GATE.links[0][1], 'docs/operations.md, "Troubleshooting"']
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("alert", [GATE, LONG, replace(GATE, title="two\nlines\tin it")])
def test_subject_and_sms_keep_their_channels_limits(alert: Alert) -> None:
    subject, sms = message.subject(alert), message.sms(alert)
    for text, longest in ((subject, 99), (sms, 160)):
        assert len(text) <= longest
        assert text.isascii()
        assert text.isprintable()
    assert subject.startswith("[sluice critical] ")


def test_slack_message_is_one_of_its_incoming_webhooks() -> None:
    for alert in (GATE, LONG):
        body = message.slack(alert)
        assert set(body) == {"text", "blocks"}
        header, *sections, context = body["blocks"]
        assert (header["type"], header["text"]["type"]) == ("header", "plain_text")
        assert len(header["text"]["text"]) <= 150
        assert [one["type"] for one in sections] == ["section"] * 3
        assert all(one["text"]["type"] == "mrkdwn" and len(one["text"]["text"]) <= 3000 for one in sections)
        assert context["type"] == "context"
        assert all(len(one["text"]) <= 3000 for one in context["elements"])


def test_slack_s_control_characters_are_escaped() -> None:
    texts = [block["text"]["text"] for block in message.slack(GATE)["blocks"] if block["type"] == "section"]
    assert "Mend &lt;the data&gt; &amp; clear the gate." in texts[2]


def test_pagerduty_event_has_the_fields_of_its_events_api_v2() -> None:
    for severity in SEVERITIES:
        event = message.pagerduty(replace(LONG, severity=severity))
        assert set(event) <= {"event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
        assert len(event["dedup_key"]) <= 255
        assert len(event["payload"]["summary"]) <= 1024
        assert event["payload"]["severity"] in ("critical", "error", "warning", "info")
        assert {"summary", "source", "severity"} <= set(event["payload"])
        assert datetime.fromisoformat(event["payload"]["timestamp"]) == GATE.at
        assert event["links"] == [{"href": GATE.links[0][1], "text": GATE.links[0][0]}]


def test_recovery_resolves_the_incident_of_its_alert() -> None:
    opened, closed = message.pagerduty(GATE), message.pagerduty(replace(GATE, event=RECOVERY))
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    assert "recovered" in message.subject(replace(GATE, event=RECOVERY))


def test_summary_is_told_as_one() -> None:
    assert message.headline(replace(GATE, event=SUMMARY)).startswith("[sluice critical, summed up] ")


def test_largest_alert_fits_into_one_publication() -> None:
    assert sum(len(json.dumps(one)) for one in message.entries(LONG)) < 262_144
