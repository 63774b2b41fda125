"""Folders by day for what grows with each commit: `<folder>/day=<YYYY-MM-DD>/...`, UTC.

Queries in Athena that name days read these alone, and housekeeping finds old ones without listing the others.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from jobs.lake.state import objects

COLUMN = "day"  # partition key of the Glue tables


def of(moment: datetime) -> str:
    """The name of a moment's folder."""
    return f"{COLUMN}={moment.astimezone(UTC):%Y-%m-%d}"


def listed(folder: str) -> list[str]:
    """The days that have a folder in `folder`, oldest first: `YYYY-MM-DD`. Costs a request for each thousand."""
    prefix = f"{folder}{COLUMN}="
    names = (found.removeprefix(prefix).rstrip("/") for found in objects.folders(prefix))
    return [name for name in names if _is_day(name)]


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False  # somebody else's folder: no query reads it either
