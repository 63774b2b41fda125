"""An alert as each channel wants it: pure functions. Standard library only.

One alert is up to three messages on its severity's topic, each with the message attribute `channel`, by which a
subscription filters: `people` (a body for e-mail, a short one for SMS, and JSON for everything else), `slack` (the JSON
of Slack's incoming webhooks) and `pagerduty` (an event of PagerDuty's Events API v2).
"""

from __future__ import annotations

import json
from typing import Any

from jobs.alerts.alert import RECOVERY, SUMMARY, Alert
from jobs.alerts.severity import CHANNELS, CRITICAL, HIGH, LOW, MEDIUM

PEOPLE, SLACK, PAGERDUTY = "people", "slack", "pagerduty"
# Limits of the channels, in characters.
SMS, SUBJECT, SLACK_HEADER, SLACK_SECTION, PAGERDUTY_SUMMARY = 160, 99, 150, 3000, 1024
PAGERDUTY_SEVERITY = {CRITICAL: "critical", HIGH: "error", MEDIUM: "warning", LOW: "info"}
SLACK_SIGN = {CRITICAL: ":red_circle:", HIGH: ":large_orange_circle:", MEDIUM: ":large_yellow_circle:", LOW: ":memo:"}


def entries(alert: Alert) -> list[dict[str, Any]]:
    """The messages of an alert, as SNS's PublishBatch takes them; `Id` is the channel."""
    channels = CHANNELS[alert.severity]
    made = [_entry(alert, PEOPLE, json.dumps(bodies(alert)), Subject=subject(alert), MessageStructure="json")]
    if SLACK in channels:
        made.append(_entry(alert, SLACK, json.dumps(slack(alert))))
    if PAGERDUTY in channels:
        made.append(_entry(alert, PAGERDUTY, json.dumps(pagerduty(alert))))
    return made


def bodies(alert: Alert) -> dict[str, str]:
    """The `people` message by protocol: `MessageStructure=json`. A queue or a function gets `default`."""
    made = {"default": json.dumps(document(alert)), "email": email(alert)}
    if "sms" in CHANNELS[alert.severity]:
        made["sms"] = sms(alert)
    return made


def document(alert: Alert) -> dict[str, Any]:
    """The alert for programs."""
    return {
        "event": alert.event,
        "severity": alert.severity,
        "kind": alert.kind,
        "error": alert.error,
        "source": alert.source,
        "project": alert.project,
        "title": alert.title,
        "what": alert.what,
        "meaning": alert.meaning,
        "action": alert.action,
        "section": alert.section,
        "links": [{"text": text, "href": href} for text, href in alert.links],
        "key": alert.key,
        "at": alert.at.isoformat(),
    }


def headline(alert: Alert) -> str:
    """One line: how bad, and what."""
    sign = {RECOVERY: "recovered", SUMMARY: f"{alert.severity}, summed up"}.get(alert.event, alert.severity)
    return f"[{alert.project} {sign}] {alert.title}"


def subject(alert: Alert) -> str:
    """The subject of an e-mail: ASCII on one line, which SNS asks for."""
    return _cut(_ascii(headline(alert)), SUBJECT)


def sms(alert: Alert) -> str:
    """One SMS."""
    return _cut(_ascii(headline(alert)), SMS)


def email(alert: Alert) -> str:
    """Plain text, which every mail program shows."""
    places = [f"{text}: {href}" for text, href in alert.links]
    parts = [
        headline(alert),
        f"What happened\n{alert.what}",
        f"What it means\n{alert.meaning}",
        f"What is safe to do\n{alert.action}",
        "Where to look\n" + "\n".join([*places, f'docs/operations.md, "{alert.section}"']),
        f"{alert.at:%Y-%m-%d %H:%M:%S} UTC, {alert.kind} error {alert.error}, cause {alert.key}",
    ]
    return "\n\n".join(parts) + "\n"


def slack(alert: Alert) -> dict[str, Any]:
    """A message for a Slack incoming webhook: a fallback text, and blocks."""
    sign = ":white_check_mark:" if alert.event == RECOVERY else SLACK_SIGN[alert.severity]
    places = [f"<{href}|{_escaped(text)}>" for text, href in alert.links]
    sections = [
        ("What happened", alert.what),
        ("What it means", alert.meaning),
        ("What is safe to do", alert.action),
    ]
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": _cut(f"{sign} {headline(alert)}", SLACK_HEADER), "emoji": True},
        },
        *(
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": _cut(f"*{title}*\n{_escaped(text)}", SLACK_SECTION)},
            }
            for title, text in sections
        ),
        {
            "type": "context",
            "elements": [
                {"type": "mrkdwn", "text": " | ".join([*places, f"docs/operations.md, _{_escaped(alert.section)}_"])}
            ],
        },
    ]
    return {"text": _escaped(headline(alert)), "blocks": blocks}


def pagerduty(alert: Alert) -> dict[str, Any]:
    """An event of PagerDuty's Events API v2; whoever delivers it adds `routing_key`, which is a secret."""
    event: dict[str, Any] = {
        "event_action": "resolve" if alert.event == RECOVERY else "trigger",
        "dedup_key": alert.key[:255],
        "client": "Sluice",
        "payload": {
            "summary": _cut(headline(alert), PAGERDUTY_SUMMARY),
            "source": f"{alert.project}/{alert.source}",
            "severity": PAGERDUTY_SEVERITY[alert.severity],
            "timestamp": alert.at.isoformat(),
            "component": alert.source,
            "group": alert.project,
            "class": alert.error,
            "custom_details": {
                "what": alert.what,
                "meaning": alert.meaning,
                "action": alert.action,
                "section": f"docs/operations.md, {alert.section}",
            },
        },
    }
    if alert.links:
        event["links"] = [{"href": href, "text": text} for text, href in alert.links]
        event["client_url"] = alert.links[0][1]
    return event


def _entry(alert: Alert, channel: str, message: str, **more: str) -> dict[str, Any]:
    attributes = {"channel": channel, "severity": alert.severity, "event": alert.event, "kind": alert.kind}
    named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    return {"Id": channel, "Message": message, "MessageAttributes": named, **more}


def _ascii(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def _escaped(text: str) -> str:
    """Slack's three control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
