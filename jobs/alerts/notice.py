"""A notice: an alert about something that went as it should. Standard library only."""

from __future__ import annotations

from jobs.alerts.alert import NOTICE, Alert
from jobs.alerts.severity import answer


def notice(
    kind: str,
    name: str,
    *,
    source: str,
    title: str,
    what: str,
    key: str,
    project: str,
    links: tuple[tuple[str, str], ...] = (),
) -> Alert:
    """A notice whose severity, meaning and advice are those of its kind and name.

    Args:
        kind: as in the table of `severity`.
        name: of what happened, as in that table.
        source: the DAG or step that tells it.
        title: one line.
        what: what happened.
        key: by which it is told once.
        project: that it belongs to.
        links: text and address of each.
    """
    known = answer(kind, name)
    return Alert(
        event=NOTICE,
        severity=known.severity,
        kind=kind,
        error=name,
        source=source,
        title=title,
        what=what,
        meaning=known.meaning,
        action=known.action,
        section=known.section,
        key=key,
        links=links,
        project=project,
    )
