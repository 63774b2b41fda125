"""The calendar by which ECB publishes reference rates: each day on which TARGET is open, around 16:00 in Frankfurt.

TARGET is closed at weekends, on 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December, in every year since
2002. Nothing else explains a day without rates.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.easter import easter  # a requirement of pandas

FRANKFURT = ZoneInfo("Europe/Berlin")
# Two hours after "around 16:00": rates that are a little late are no news.
DUE = time(18, 0)
CLOSED = {(1, 1), (5, 1), (12, 25), (12, 26)}


def is_open(day: date) -> bool:
    """Whether TARGET is open, so that ECB publishes rates."""
    easter_sunday = easter(day.year)
    movable = (easter_sunday - timedelta(days=2), easter_sunday + timedelta(days=1))
    return day.weekday() < 5 and (day.month, day.day) not in CLOSED and day not in movable


def newest_due(moment: datetime, missing: int = 0) -> date:
    """The day of the newest rates that must be there at a moment, if so many publications are missing.

    Args:
        moment: any zone.
        missing: number of publications that may be missing.
    """
    local = moment.astimezone(FRANKFURT)
    day = local.date() if local.time() >= DUE else local.date() - timedelta(days=1)
    while True:
        if is_open(day):
            if not missing:
                return day
            missing -= 1
        day -= timedelta(days=1)
