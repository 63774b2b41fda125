"""The week's trend of a table, from its summary."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dq import trend
from dq.trend import Week

MONDAY = date(2026, 11, 30)
LAST_WEEK = "2026-11-23"


def day(held: int, failed: int = 0, *, refused: int = 0, **counts: int) -> dict[str, Any]:
    rules = {"critical id not_be_null": [held, failed]}
    results = {"n": 1, "last": "x", "validations": 1, "refused": refused, "rules": rules}
    return {"results": results, "ledger": {"n": 1, "last": "x", **counts}}


def of(days: dict[str, Any]) -> trend.Trend:
    return trend.of({"table": "silver.orders", "days": days}, MONDAY)


def test_last_whole_week_is_held_against_the_four_before() -> None:
    found = of(
        {
            "2026-10-25": day(0, 9, read=9, quarantined=9),  # five weeks before: not meant
            "2026-10-26": day(9, 1, read=100, quarantined=1),
            "2026-11-22": day(10, read=100),
            LAST_WEEK: day(8, 2, refused=1, read=50, quarantined=5, dead_lettered=3),
            "2026-11-29": day(10, read=50),
            "2026-11-30": day(0, 9, read=9, quarantined=9),  # this week is not over
        }
    )

    assert found.week == Week(2, 1, judged=20, failed=2, read=100, quarantined=5, dead_lettered=3)
    assert found.before == Week(2, 0, judged=20, failed=1, read=200, quarantined=1)
    assert (found.week.pass_rate, found.before.pass_rate) == (0.9, 0.95)
    assert found.worse
    assert found.text == (
        "silver.orders: 90.00 % (95.00 % in the 4 weeks before) of rules held in 2 validations, 1 refused; "
        "5.00 % (0.50 % in the 4 weeks before) of 100 rows quarantined; 3 messages dead-lettered"
    )
    assert found.record()["quarantine_rate_before"] == 0.005


@pytest.mark.parametrize(
    ("before", "week", "worse"),
    [
        (day(99, 1), day(99, 1), False),
        (day(100), day(100, refused=1), True),
        (day(1000), day(995, 5), False),  # half a point
        (day(100), day(98, 2), True),
        (day(98, 2), day(100), False),  # better
        (day(1, read=1000), day(1, read=1000, quarantined=6), True),
        (day(1, read=1000), day(1, read=1000, quarantined=5), False),
        (day(1, read=0), day(1, read=10, quarantined=9), False),  # nothing to hold it against
    ],
)
def test_week_is_worse_only_by_more_than_a_little(before: dict[str, Any], week: dict[str, Any], worse: bool) -> None:
    assert of({"2026-11-16": before, LAST_WEEK: week}).worse is worse


def test_week_without_anything_says_so() -> None:
    found = of({"2026-11-02": day(1)})

    assert found.text == "silver.orders: nothing was read or judged"
    assert not found.worse
    assert found.week.pass_rate is None


def test_text_of_the_week_begins_with_what_got_worse() -> None:
    good, bad = of({LAST_WEEK: day(1)}), of({LAST_WEEK: day(1, 1, refused=1)})

    lines = trend.text([good, bad]).splitlines()

    assert lines[0] == "Data quality in the week of 2026-11-23: 1 of 2 tables got worse"
    assert lines[1] == f"- {bad.text}"
    assert lines[2] == f"- {good.text}"


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100.00 %"), (0.99999, "over 99.99 %"), (0.00001, "under 0.01 %"), (0.0, "0.00 %")]
)
def test_nothing_is_rounded_up_to_all_or_down_to_none(share: float, text: str) -> None:
    assert trend._per_cent(share) == text
