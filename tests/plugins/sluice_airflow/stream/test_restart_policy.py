"""What a stream's next job run is called, and how long a stream that fails rests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sluice_airflow.stream.restart_policy import Backoff, Start
from sluice_airflow.stream.runs import StreamRun

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
PREFIX = "orders_stream/orders_events.keep_alive "


def ended(state: str, *, minutes_ago: float = 0.0, number: int = 1, code: str = "new") -> StreamRun:
    at = NOW - timedelta(minutes=minutes_ago)
    name = f"{PREFIX}code {code} #0123456789ab start {number}"
    return StreamRun(f"00{number}", name, code, number, state, "", 1, created_at=at, changed_at=at)


def start(previous: StreamRun | None, *, code: str = "new", prefix: str = PREFIX, first_by: str = "one") -> Start:
    return Start.after(previous, prefix=prefix, code=code, first_by=first_by)


def test_who_submits_again_asks_for_the_very_same_job_run() -> None:
    assert start(ended("FAILED"), first_by="one DAG run") == start(ended("FAILED"), first_by="the next")
    assert start(None) == start(None)


@pytest.mark.parametrize(
    "other",
    [
        start(replace(ended("FAILED"), id="00another")),
        start(ended("FAILED"), code="newer"),
        start(ended("FAILED"), prefix="orders_stream/payments_events.keep_alive "),
    ],
    ids=["after another job run", "of another release", "of another stream"],
)
def test_another_start_shares_no_name_with_it(other: Start) -> None:
    mine = start(ended("FAILED"))
    assert other.token != mine.token
    assert other.name != mine.name
    assert other.run_id != mine.run_id


def test_first_start_is_another_one_where_a_local_emr_has_forgotten_the_first() -> None:
    # A lease that a killed stream left is kept for whoever bears its name.
    assert start(None, first_by="scheduled__1").name != start(None, first_by="scheduled__2").name


def test_names_are_of_the_lengths_and_characters_that_emr_takes() -> None:
    begun = start(ended("FAILED", number=41))
    assert begun.name.startswith(f"{PREFIX}code new #")
    assert begun.name.endswith(" start 42")
    assert len(begun.token) == 64
    assert begun.token.isalnum()
    assert StreamRun.of({**SUMMARY, "name": begun.name}).number == 42


SUMMARY = {"id": "001", "state": "RUNNING", "createdAt": NOW, "updatedAt": NOW}


def test_job_run_knows_its_release_by_its_name() -> None:
    assert StreamRun.of({**SUMMARY, "name": start(None, code="f00ba4").name}).code == "f00ba4"


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 900), (40, 900)]
)
def test_rest_doubles_with_each_failure_in_a_row_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    runs = [ended("FAILED", minutes_ago=index) for index in range(failures)]
    assert Backoff().rest(runs, "new", NOW) == timedelta(seconds=seconds)


def test_rest_is_counted_from_the_end_of_the_newest_failure() -> None:
    runs = [ended("FAILED", minutes_ago=1.5), ended("FAILED", minutes_ago=20), ended("FAILED", minutes_ago=30)]
    assert Backoff().rest(runs, "new", NOW) == timedelta(seconds=30)
    assert Backoff().rest(runs[1:], "new", NOW) < timedelta(0)


@pytest.mark.parametrize("state", ["SUCCESS", "CANCELLED"])
def test_only_failures_in_a_row_count(state: str) -> None:
    runs = [ended("FAILED"), ended(state, minutes_ago=1), ended("FAILED", minutes_ago=2)]
    assert Backoff().failures(runs, "new", NOW) == 1
    assert Backoff().failures(runs[1:], "new", NOW) == 0


def test_failures_of_more_than_an_hour_ago_are_forgotten() -> None:
    runs = [ended("FAILED", minutes_ago=minutes) for minutes in (30, 59, 61, 62)]
    assert Backoff().failures(runs, "new", NOW) == 2


def test_failures_of_another_release_hold_up_no_start_of_the_mended_one() -> None:
    runs = [ended("FAILED", code="old"), ended("FAILED", code="old", minutes_ago=1)]
    assert Backoff().rest(runs, "new", NOW) == timedelta(0)
    assert Backoff().failures([ended("FAILED"), *runs], "new", NOW) == 1
