"""What is told to a person. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

ALERT, RECOVERY, SUMMARY, NOTICE = "alert", "recovery", "summary", "notice"


@dataclass(frozen=True)
class Alert:
    """One thing that people are told, whatever the channel. It holds no personal data: its maker answers for that.

    Attributes:
        event: `alert`, `recovery` of what was alerted, `summary` of a storm, or `notice`.
        severity: one of `severity.SEVERITIES`; chooses the topic.
        kind: of the error: `data`, `configuration`, `transient`, `system`, `stream`, `deadline`, `storm`, `report`.
        error: its name.
        source: what it is about: a DAG.
        title: what failed, in one short line.
        what: what failed, in a sentence or some lines.
        meaning: what it means for the data.
        action: what is safe to do.
        section: heading of docs/operations.md that says more.
        key: names the cause; a recovery has the key of its alert. At most 255 characters.
        links: label and address of where to look.
        project: of the deployment.
        at: when.
    """

    event: str
    severity: str
    kind: str
    error: str
    source: str
    title: str
    what: str
    meaning: str
    action: str
    section: str
    key: str
    links: tuple[tuple[str, str], ...] = ()
    project: str = "sluice"
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
