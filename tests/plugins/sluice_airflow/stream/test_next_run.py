"""What a stream's next job run is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluice_airflow.stream.next_run import NextJobRun
from sluice_airflow.stream.runs import StreamRun

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
PREFIX = "orders_stream/orders_events.keep_alive "
SUMMARY = {"id": "001", "state": "RUNNING", "createdAt": NOW, "updatedAt": NOW}


def ended(*, number: int = 1) -> StreamRun:
    name = f"{PREFIX}code new #0123456789ab start {number}"
    return StreamRun(f"00{number}", name, "new", number, "FAILED", "", 1, created_at=NOW, changed_at=NOW)


def after(previous: StreamRun | None, *, code: str = "new", prefix: str = PREFIX, first_by: str = "one") -> NextJobRun:
    return NextJobRun.after(previous, prefix=prefix, code=code, first_by=first_by)


def test_who_submits_again_asks_for_the_very_same_job_run() -> None:
    assert after(ended(), first_by="one DAG run") == after(ended(), first_by="the next")
    assert after(None) == after(None)


@pytest.mark.parametrize(
    "other",
    [
        after(replace(ended(), id="00another")),
        after(ended(), code="newer"),
        after(ended(), prefix="orders_stream/payments_events.keep_alive "),
    ],
    ids=["after another job run", "of another release", "of another stream"],
)
def test_another_start_shares_no_name_with_it(other: NextJobRun) -> None:
    mine = after(ended())
    assert other.token != mine.token
    assert other.name != mine.name
    assert other.run_id != mine.run_id


def test_first_start_is_another_one_where_a_local_emr_has_forgotten_the_first() -> None:
    # A lease that a killed stream left is kept for whoever bears its name.
    assert after(None, first_by="scheduled__1").name != after(None, first_by="scheduled__2").name


def test_names_are_of_the_lengths_and_characters_that_emr_takes() -> None:
    begun = after(ended(number=41))
    assert begun.name.startswith(f"{PREFIX}code new #")
    assert begun.name.endswith(" start 42")
    assert len(begun.token) == 64
    assert begun.token.isalnum()
    assert StreamRun.of({**SUMMARY, "name": begun.name}).number == 42


def test_job_run_knows_its_release_by_its_name() -> None:
    assert StreamRun.of({**SUMMARY, "name": after(None, code="f00ba4").name}).code == "f00ba4"
