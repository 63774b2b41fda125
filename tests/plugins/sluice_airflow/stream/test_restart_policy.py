"""When a stream that ended is started again: how long one that fails rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sluice_airflow.stream.restart_policy import RestartPolicy
from sluice_airflow.stream.runs import StreamRun

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def ended(state: str, *, minutes_ago: float = 0.0, code: str = "new") -> StreamRun:
    at = NOW - timedelta(minutes=minutes_ago)
    return StreamRun("001", "name", code, 1, state, "", 1, created_at=at, changed_at=at)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 900), (40, 900)]
)
def test_rest_doubles_with_each_failure_in_a_row_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    runs = [ended("FAILED", minutes_ago=index) for index in range(failures)]
    assert RestartPolicy().rest(runs, "new", NOW) == timedelta(seconds=seconds)


def test_rest_is_counted_from_the_end_of_the_newest_failure() -> None:
    runs = [ended("FAILED", minutes_ago=1.5), ended("FAILED", minutes_ago=20), ended("FAILED", minutes_ago=30)]
    assert RestartPolicy().rest(runs, "new", NOW) == timedelta(seconds=30)
    assert RestartPolicy().rest(runs[1:], "new", NOW) < timedelta(0)


@pytest.mark.parametrize("state", ["SUCCESS", "CANCELLED"])
def test_only_failures_in_a_row_count(state: str) -> None:
    runs = [ended("FAILED"), ended(state, minutes_ago=1), ended("FAILED", minutes_ago=2)]
    assert RestartPolicy().failures(runs, "new", NOW) == 1
    assert RestartPolicy().failures(runs[1:], "new", NOW) == 0


def test_failures_of_more_than_an_hour_ago_are_forgotten() -> None:
    runs = [ended("FAILED", minutes_ago=minutes) for minutes in (30, 59, 61, 62)]
    assert RestartPolicy().failures(runs, "new", NOW) == 2


def test_failures_of_another_release_hold_up_no_start_of_the_mended_one() -> None:
    runs = [ended("FAILED", code="old"), ended("FAILED", code="old", minutes_ago=1)]
    assert RestartPolicy().rest(runs, "new", NOW) == timedelta(0)
    assert RestartPolicy().failures([ended("FAILED"), *runs], "new", NOW) == 1
