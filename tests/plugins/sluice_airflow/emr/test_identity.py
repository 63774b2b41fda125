from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from sluice_airflow.emr.identity import JobIdentity

IDENTITY = JobIdentity(
    dag_id="daily_lakehouse",
    run_id="scheduled__2026-11-20T00:00:00+00:00",
    task_id="silver.orders",
    map_index=-1,
    clear_number=0,
    try_number=1,
    run_started="2026-11-21T00:00:03+00:00",
)


def test_same_try_has_the_same_token_and_name_in_every_process() -> None:
    assert IDENTITY.token == "da85486460c7808c6fab82de9e23a1bb9cedadd863707335-1"
    assert IDENTITY.name == replace(IDENTITY).name


def test_another_try_has_another_token_under_the_same_prefix() -> None:
    second = replace(IDENTITY, try_number=2)
    assert second.token != IDENTITY.token
    assert second.name != IDENTITY.name
    assert second.name.startswith(IDENTITY.adoptable_prefix)


def test_job_run_from_before_a_clear_is_of_the_same_work_but_not_adopted() -> None:
    cleared = replace(IDENTITY, clear_number=1, try_number=2)
    assert IDENTITY.name.startswith(cleared.work_prefix)
    assert not IDENTITY.name.startswith(cleared.adoptable_prefix)
    assert not replace(IDENTITY, clear_number=11).name.startswith(cleared.adoptable_prefix)


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


def test_dag_run_made_again_under_its_old_id_has_another_token_for_the_same_work() -> None:
    again = replace(IDENTITY, run_started="2026-11-22T09:00:00+00:00")
    assert again.token != IDENTITY.token
    assert again.work_prefix == IDENTITY.work_prefix


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
        "project": "sluice",
        "dag": "daily_lakehouse",
        "task": "silver.orders",
        "run": "manual_2026_1",
    }


def test_identity_comes_from_the_task_instance_of_the_context() -> None:
    task_instance = SimpleNamespace(
        dag_id="daily_lakehouse",
        run_id="scheduled__2026-11-20T00:00:00+00:00",
        task_id="silver.orders",
        map_index=-1,
        try_number=1,
    )
    dag_run = SimpleNamespace(start_date=datetime(2026, 11, 21, 0, 0, 3, tzinfo=UTC), clear_number=0)
    assert JobIdentity.of({"ti": task_instance, "dag_run": dag_run}) == IDENTITY
