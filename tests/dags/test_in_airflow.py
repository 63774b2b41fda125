"""What Airflow itself makes of the DAGs and of the pools: its API over its database."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import requests

from infra.local.airflow_api import AirflowApi
from infra.pools import pools
from jobs.lake.registry import Pipeline
from jobs.lake.tables import LAKEHOUSE, PIPELINES
from sluice_airflow.alerts.deadline import time_limit
from sluice_airflow.emergency import airflow_api as emergency

DAG = LAKEHOUSE.schedule.dag_id
SETTINGS = ("slots", "description", "include_deferred")
TASKS = {*(table.name for table in LAKEHOUSE.built), "gate.silver", "register.glue"}
ONE, OTHER = (table.name for table in LAKEHOUSE.built[:2])


@pytest.fixture
def api(airflow_url: str) -> AirflowApi:
    return AirflowApi(airflow_url)


def post(airflow_url: str, path: str, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{airflow_url}/api/v2/{path}", json=body, timeout=60)
    assert answer.ok, answer.text
    document: dict[str, Any] = answer.json()
    return document


def settings(api: AirflowApi) -> dict[str, dict[str, Any]]:
    return {name: {key: pool[key] for key in SETTINGS} for name, pool in api.pools().items()}


def test_pools_are_made_once_and_made_again_they_stay_as_they_are(api: AirflowApi) -> None:
    default = settings(api)["default_pool"]
    for _ in range(2):
        api.set_pools(pools())
        assert settings(api) == {"default_pool": default, **pools()}


def test_pool_that_was_changed_or_deleted_is_mended(api: AirflowApi, airflow_url: str) -> None:
    api.set_pools(pools())
    api.set_pools({ONE: {"slots": 5, "include_deferred": False}})
    assert settings(api)[ONE]["slots"] == 5
    assert requests.delete(f"{airflow_url}/api/v2/pools/{OTHER}", timeout=60).ok
    api.set_pools(pools())
    assert pools().items() <= settings(api).items()


def test_scheduler_is_told_the_first_day_of_the_schedule(api: AirflowApi) -> None:
    dag = api.dag(DAG)
    assert dag
    assert dag["next_dagrun_data_interval_start"] == "2026-11-17T00:00:00Z"
    assert dag["timetable_description"] == "At 00:00, for 2026-11-17 to 2026-11-19"


@pytest.mark.parametrize("moment", ["2026-03-02T00:00:00Z", "2026-11-18T06:00:00Z", "2027-01-01T00:00:00Z"])
@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda pipeline: pipeline.name)
def test_manual_run_has_all_its_tasks_whatever_its_date(
    moment: str, pipeline: Pipeline, api: AirflowApi, airflow_url: str
) -> None:
    dag = pipeline.schedule.dag_id
    run = post(airflow_url, f"dags/{dag}/dagRuns", logical_date=moment)
    expected = {*(table.name for table in pipeline.built), "gate.silver", "register.glue"}
    assert {task.task for task in api.tasks(dag, run["dag_run_id"])} == expected


def test_backfill_outside_of_the_schedule_gets_each_day_with_all_its_tasks(api: AirflowApi, airflow_url: str) -> None:
    # The last day lies within the schedule, the others before it.
    post(airflow_url, "backfills", dag_id=DAG, from_date="2026-11-15T00:00:00Z", to_date="2026-11-17T00:00:00Z")
    runs = api.runs(DAG)
    assert [(run["data_interval_start"][:10], run["data_interval_end"][:10]) for run in runs] == [
        ("2026-11-15", "2026-11-16"), ("2026-11-16", "2026-11-17"), ("2026-11-17", "2026-11-18"),
    ]  # fmt: skip
    assert {run["run_type"] for run in runs} == {"backfill"}
    assert api.runs(DAG, since=date(2026, 11, 16)) == runs[1:]
    for run in runs:
        assert {task.task for task in api.tasks(DAG, run["dag_run_id"])} == TASKS


def test_a_task_sees_and_pauses_dags_by_the_api_that_a_person_uses(api: AirflowApi, airflow_url: str) -> None:
    asked = emergency.AirflowApi.at(airflow_url)
    known = {dag_id: asked.dag(dag_id) for dag_id in (DAG, "restore_table", "nonsense")}
    assert {name: dag and dag["timetable_summary"] for name, dag in known.items()} == {
        DAG: LAKEHOUSE.schedule.cron, "restore_table": None, "nonsense": None,
    }  # fmt: skip
    assert known["nonsense"] is None
    for paused in (False, True):
        asked.pause(DAG, paused)
        assert (api.dag(DAG) or {})["is_paused"] is paused
    assert asked.on_workers([DAG, "restore_table"]) == []


@pytest.mark.parametrize("pipeline", PIPELINES, ids=lambda pipeline: pipeline.name)
def test_airflow_gives_a_run_its_deadline(pipeline: Pipeline, airflow_url: str) -> None:
    dag = pipeline.schedule.dag_id
    run = post(airflow_url, f"dags/{dag}/dagRuns", logical_date="2026-04-01T00:00:00Z")
    address = f"{airflow_url}/ui/dags/{dag}/dagRuns/{run['dag_run_id']}/deadlines"
    (deadline,) = requests.get(address, timeout=60).json()["deadlines"]
    limit = datetime.fromisoformat(deadline["deadline_time"]) - datetime.fromisoformat(run["queued_at"])
    assert limit == time_limit(pipeline.schedule.cron)
    assert deadline["missed"] is False
