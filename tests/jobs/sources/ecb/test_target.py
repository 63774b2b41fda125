"""The calendar of ECB's publications, against all days on which it published."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from infra.local.sources.ecb.history import bundled
from jobs.sources.ecb import target


def test_calendar_is_that_of_ecbs_own_history() -> None:
    published = {date.fromisoformat(line[:10]) for line in bundled().splitlines()[1:]}
    first, last = date(2002, 1, 1), max(published)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]

    assert [day for day in days if target.is_open(day) != (day in published)] == []


@pytest.mark.parametrize(
    ("moment", "missing", "day"),
    [
        ("2026-10-06T00:00:00+00:00", 0, "2026-10-05"),
        ("2026-10-05T00:00:00+00:00", 0, "2026-10-02"),  # Monday's midnight: Friday's
        ("2026-10-05T15:59:00+00:00", 0, "2026-10-02"),  # 17:59 in Frankfurt, in summer
        ("2026-10-05T16:00:00+00:00", 0, "2026-10-05"),
        ("2026-11-02T16:59:00+00:00", 0, "2026-10-30"),  # 17:59 in Frankfurt, in winter
        ("2026-11-02T17:00:00+00:00", 0, "2026-11-02"),
        ("2026-10-05T23:30:00-07:00", 0, "2026-10-05"),  # the 6th in Frankfurt, too early
        ("2026-04-07T00:00:00+00:00", 0, "2026-04-02"),  # Easter: from Thursday to Tuesday
        ("2026-05-02T12:00:00+00:00", 0, "2026-04-30"),  # 1 May
        ("2026-12-28T00:00:00+00:00", 0, "2026-12-24"),
        ("2027-01-04T00:00:00+00:00", 0, "2026-12-31"),
        ("2026-10-06T00:00:00+00:00", 1, "2026-10-02"),
        ("2026-04-08T00:00:00+00:00", 3, "2026-03-31"),
    ],
)
def test_newest_rates_that_are_due(moment: str, missing: int, day: str) -> None:
    assert target.newest_due(datetime.fromisoformat(moment), missing) == date.fromisoformat(day)
