"""Whoever gives a start in the past is told how many runs it makes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from jobs.lake.tables import LAKEHOUSE
from sluice_airflow.missed_runs import missed_runs, sentences

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "first", "number"),
    [
        ("0 0 * * *", date(2026, 1, 1), 328),
        ("0 0 * * *", date(2026, 11, 24), 1),
        ("0 0 * * *", date(2026, 11, 25), 0),  # the day of deployment: its run comes when the day is over
        ("0 0 * * *", date(2026, 12, 1), 0),
        ("0 */6 * * *", date(2026, 11, 25), 2),
    ],
)
def test_each_interval_that_is_over_is_a_run(cron: str, first: date, number: int) -> None:
    assert missed_runs(cron, first, NOON) == number


def test_sentence_names_the_dag_the_start_and_the_number() -> None:
    assert sentences([LAKEHOUSE], date(2026, 1, 1), NOON) == [
        "daily_lakehouse: its schedule begins on 2026-01-01, so that it makes up for 328 runs as soon as it is unpaused"
    ]
    assert sentences([LAKEHOUSE], date(2026, 11, 25), NOON)[0].endswith("makes up for none")
