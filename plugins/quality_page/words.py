"""Figures as a person reads them. Times are UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from markupsafe import Markup

NOTHING = "\N{EN DASH}"
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def number(value: Any) -> str:
    """`12,345`."""
    return NOTHING if value is None else f"{value:,}"


def per_cent(share: float | None, places: int = 2) -> str:
    """A share of 0 to 1 as `99.53 %`. Never rounded up to all, nor down to none."""
    if share is None:
        return NOTHING
    least = 10.0**-places
    per_hundred = 100 * share
    if 0 < per_hundred < least:
        return f"under {least:.{places}f} %"
    if 100 - least < per_hundred < 100:
        return f"over {100 - least:.{places}f} %"
    return f"{per_hundred:.{places}f} %" if per_hundred not in (0, 100) else f"{per_hundred:.0f} %"


def breakable(name: str) -> Markup:
    """A name that a narrow column may break after its dots and underscores."""
    return Markup("<wbr>").join(part for part in re.findall(r"[^._]*[._]?", name) if part)


def moment(text: Any) -> datetime | None:
    """ISO 8601 as a time in UTC; a day is its midnight. None for anything else."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def time(text: Any) -> str:
    """`2026-11-29 07:15`, or the day alone if that is what was given."""
    found = moment(text)
    if found is None:
        return NOTHING
    return f"{found:%Y-%m-%d}" if len(str(text)) == len("2026-11-29") else f"{found:%Y-%m-%d %H:%M}"


def age(text: Any, now: datetime) -> str:
    """How long ago, in its largest unit: `3 d ago`."""
    found = moment(text)
    if found is None:
        return ""
    seconds = (now - found).total_seconds()
    for unit, size in _UNITS:
        if abs(seconds) >= size:
            return f"{int(abs(seconds) // size)} {unit} {'ago' if seconds > 0 else 'ahead'}"
    return "just now"


def days_before(today: date, count: int) -> list[str]:
    """The last days up to today, oldest first, as `YYYY-MM-DD`."""
    return [(today - timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1)]


def mondays_before(today: date, count: int) -> list[str]:
    """The Mondays of the last weeks up to today's, oldest first."""
    monday = today - timedelta(days=today.weekday())
    return [(monday - timedelta(days=7 * back)).isoformat() for back in range(count - 1, -1, -1)]
