from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sluice_airflow.emr.identity import JobIdentity, asked, mark_of, work_mark

IDENTITY = JobIdentity(
    dag_id="daily_lakehouse",
    run_id="scheduled__2026-11-20T00:00:00+00:00",
    task_id="silver.orders",
    map_index=-1,
    try_number=1,
    run_started="2026-11-21T00:00:03+00:00",
    asked=asked({"window": "2026-11-20"}),
)


def test_same_try_has_the_same_token_and_name_in_every_process() -> None:
    assert IDENTITY.token == "ce464f3891d11c40179452b201d9bf9c2e7dec441f3c872c-1"
    assert IDENTITY.name == replace(IDENTITY).name


def test_another_try_has_another_token_and_goes_on_with_the_job_run_of_the_first() -> None:
    second = replace(IDENTITY, try_number=2)
    assert second.token != IDENTITY.token
    assert second.name != IDENTITY.name
    assert second.adopts(IDENTITY.name)
    assert not IDENTITY.adopts(second.name), "a try that was overtaken takes nothing from the next one"


@pytest.mark.parametrize(
    "other",
    [
        {"asked": asked({"window": "2026-11-21"})},
        {"run_started": "2026-11-22T09:00:00+00:00"},
        {"run_id": "manual__1"},
        {"map_index": 3},
    ],
    ids=["something else was asked", "the DAG run was made anew", "another DAG run", "another part"],
)
def test_job_run_of_which_something_else_was_asked_is_not_adopted(other: dict[str, object]) -> None:
    second = replace(IDENTITY, try_number=2)
    assert not second.adopts(replace(IDENTITY, **other).name)
    assert replace(IDENTITY, **other).token != IDENTITY.token


def test_job_run_from_before_the_task_was_cleared_is_of_the_same_work_but_not_adopted() -> None:
    cleared = replace(IDENTITY, clear_number=1, try_number=2, cleared_after=1)
    assert IDENTITY.name.startswith(cleared.work_prefix)
    assert not cleared.adopts(IDENTITY.name)
    assert replace(cleared, try_number=3).adopts(cleared.name)


def test_clearing_another_task_changes_nothing_for_a_live_job_run() -> None:
    assert replace(IDENTITY, clear_number=1, try_number=2).adopts(IDENTITY.name)


def test_job_run_that_has_ended_is_adopted_unless_something_was_cleared_since() -> None:
    assert replace(IDENTITY, try_number=2).adopts(IDENTITY.name, ended=True)
    assert not replace(IDENTITY, clear_number=1, try_number=2).adopts(IDENTITY.name, ended=True)


def test_name_of_release_0_1_is_of_the_same_work_but_not_adopted() -> None:
    old = f"{IDENTITY.work_prefix}clear 0 try 1"
    assert not replace(IDENTITY, try_number=2).adopts(old)
    assert mark_of(old) == mark_of(IDENTITY.name)


def test_mark_in_the_name_is_that_of_the_task_instance() -> None:
    work = (IDENTITY.dag_id, IDENTITY.run_id, IDENTITY.task_id, IDENTITY.map_index)
    assert mark_of(IDENTITY.name) == work_mark(*work)
    assert mark_of("by-hand/lineage 1764.1") == ""
    assert mark_of("orders_stream/orders_events.keep_alive code test #0123456789ab start 1") == ""


@pytest.mark.parametrize(
    "other",
    [{"dag_id": "other"}, {"run_id": "manual__1"}, {"task_id": "silver.fx_rates"}, {"map_index": 0}],
)
def test_other_work_shares_neither_token_nor_prefix(other: dict[str, object]) -> None:
    elsewhere = replace(IDENTITY, **other)
    assert elsewhere.token != IDENTITY.token
    assert not elsewhere.name.startswith(IDENTITY.work_prefix)


def test_map_index_one_is_not_taken_for_eleven() -> None:
    eleven = replace(IDENTITY, map_index=11)
    assert not eleven.name.startswith(replace(IDENTITY, map_index=1).work_prefix)


def test_token_is_one_that_emr_serverless_accepts() -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", replace(IDENTITY, try_number=1234).token)


def test_long_ids_fit_the_name_and_stay_apart() -> None:
    long = replace(IDENTITY, task_id="t" * 250, run_id="r" * 250, try_number=12345, clear_number=12345)
    assert len(long.name) <= 256
    assert long.work_prefix != replace(long, run_id="r" * 249 + "s").work_prefix


def test_name_says_which_task_it_is() -> None:
    assert IDENTITY.name.startswith("daily_lakehouse/silver.orders scheduled__2026-11-20T00:00:00+00:00 #")
    assert IDENTITY.name.endswith(" clear 0 try 1")


def test_tags_hold_only_characters_that_aws_accepts() -> None:
    tags = replace(IDENTITY, run_id="manual~2026#1").tags("sluice")
    assert tags == {
        "try": "1",
        "project": "sluice",
        "dag": "daily_lakehouse",
        "task": "silver.orders",
        "run": "manual_2026_1",
    }


@pytest.mark.parametrize(
    ("try_number", "max_tries", "cleared_after"), [(1, 2, 0), (3, 2, 0), (2, 3, 1), (5, 6, 4), (2, 1, 0)]
)
def test_identity_comes_from_the_task_instance_of_the_context(
    try_number: int, max_tries: int, cleared_after: int
) -> None:
    task_instance = SimpleNamespace(
        dag_id="daily_lakehouse",
        run_id="scheduled__2026-11-20T00:00:00+00:00",
        task_id="silver.orders",
        map_index=-1,
        try_number=try_number,
        max_tries=max_tries,
    )
    dag_run = SimpleNamespace(start_date=datetime(2026, 11, 21, 0, 0, 3, tzinfo=UTC), clear_number=0)
    found = JobIdentity.of({"ti": task_instance, "dag_run": dag_run}, retries=2, asked=IDENTITY.asked)
    assert found == replace(IDENTITY, try_number=try_number, cleared_after=cleared_after)
