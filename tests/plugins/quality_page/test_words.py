"""Figures as a person reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests import airflow_home

airflow_home.use()
DASH = "\N{EN DASH}"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, DASH),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50.00 %"),
        (0.999999, "over 99.99 %"),
        (0.000001, "under 0.01 %"),
    ],
)
def test_per_cent_is_never_rounded_to_all_or_none(share: float | None, text: str) -> None:
    from quality_page import words

    assert words.per_cent(share) == text


@pytest.mark.parametrize(
    ("given", "shown", "age"),
    [
        ("2026-11-29T11:30:00+00:00", "2026-11-29 11:30", "30 min ago"),
        ("2026-11-29T13:30:00+02:00", "2026-11-29 11:30", "30 min ago"),
        ("2026-11-28", "2026-11-28", "1 d ago"),
        ("2026-11-29T12:00:10", "2026-11-29 12:00", "just now"),
        ("2026-11-30T12:00:00", "2026-11-30 12:00", "1 d ahead"),
        ("soon", DASH, ""),
        (None, DASH, ""),
    ],
)
def test_times_are_utc_with_their_age(given: str | None, shown: str, age: str) -> None:
    from quality_page import words

    assert (words.time(given), words.age(given, NOW)) == (shown, age)


def test_days_and_weeks_end_with_today() -> None:
    from quality_page import words

    assert words.days_before(date(2026, 3, 1), 2) == ["2026-02-28", "2026-03-01"]
    assert words.mondays_before(date(2026, 3, 1), 2) == ["2026-02-16", "2026-02-23"]
