"""The DAG that looks after the tables of all pipelines."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from jobs.lake.tables import HOUSEKEEPING
from jobs.run import STEPS, parse
from sluice_airflow.emr.request import command_line, step_line
from tests.dags.schedules import starts

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


@pytest.fixture
def housekeeping(bag: DagBag) -> DAG:
    return bag.dags[HOUSEKEEPING.schedule.dag_id]


def test_each_step_of_maintenance_walks_whatever_the_registry_has_and_waits_for_no_other(housekeeping: DAG) -> None:
    assert {task.step for task in housekeeping.tasks} == {step for step in STEPS if step.startswith("maintenance.")}
    for task in housekeeping.tasks:
        assert (task.subject, task.pool, task.windowed) == ("", "default_pool", False)
        assert task.execution_timeout_minutes == HOUSEKEEPING.minutes
        assert not task.upstream_task_ids


def test_it_runs_on_sundays_and_makes_up_for_no_missed_run(housekeeping: DAG) -> None:
    times = starts(HOUSEKEEPING.schedule.cron, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))

    assert {datetime.fromisoformat(time).strftime("%A") for time in times} == {"Sunday"}
    assert len(times) == 5
    assert housekeeping.catchup is False
    assert housekeeping.max_active_runs == 1


@pytest.mark.parametrize("dry", [True, False])
def test_dry_run_reaches_each_step(dry: bool, housekeeping: DAG) -> None:
    env = housekeeping.get_template_env()
    assert housekeeping.tasks
    for task in housekeeping.tasks:
        words = command_line([env.from_string(word).render(params={"dry_run": dry}) for word in task.arguments])

        line = step_line(task.step, subject=task.subject, dag_id="d", run_id="r", job="j", code="c")
        assert parse([*line, *words]).dry_run is dry


def test_scheduled_run_is_none(housekeeping: DAG) -> None:
    assert deepcopy(housekeeping.params.get_param("dry_run")).resolve() is False
