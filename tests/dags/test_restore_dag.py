"""The DAG that takes a table back: a task for each table, of which a run does one, and nothing by accident."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, ParamValidationError

from jobs.lake import tables as registry
from sluice_airflow.emr.request import command_line
from sluice_airflow.restore_dag import choose

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

ASKED = {"table": "silver.orders", "version": None, "timestamp": None, "dry_run": True, "who": None, "why": None}
RESTORABLE = {table.name: table for table in registry.every() if table.written_with is None}


@pytest.fixture
def dag(bag: DagBag) -> DAG:
    return bag.dags["restore_table"]


def words(dag: DAG, **asked: Any) -> list[str]:
    """What the chosen table's task tells `run.py`."""
    task = dag.get_task(asked.get("table", "silver.orders"))
    environment, params = dag.get_template_env(), {**ASKED, **asked}
    rendered = {name: environment.from_string(text).render(params=params) for name, text in task.arguments.items()}
    return command_line(rendered)


def test_every_table_that_goes_back_by_itself_has_a_task_in_its_pool(dag: DAG) -> None:
    assert {task.task_id: (task.step, task.subject, task.pool) for task in dag.tasks} == {
        name: ("restore", name, name) for name in RESTORABLE
    }
    assert dag.params.get_param("table").schema["enum"] == list(RESTORABLE)


def test_it_runs_by_hand_only_one_at_a_time_and_dry_unless_told_otherwise(dag: DAG) -> None:
    assert dag.schedule is None
    assert dag.max_active_runs == 1
    assert dag.params["dry_run"] is True


def test_dry_run_names_nobody_so_that_the_step_changes_nothing(dag: DAG) -> None:
    assert words(dag, version=0, who="Ann", why="bad batch") == words(dag, version=0) == ["--version=0"]


@pytest.mark.parametrize(
    ("to", "word"),
    [({"version": 12}, "--version=12"), ({"timestamp": "2026-11-01T10:00:00Z"}, "--timestamp=2026-11-01T10:00:00Z")],
)
def test_real_restore_says_to_what_and_who_and_why(to: dict[str, Any], word: str, dag: DAG) -> None:
    assert words(dag, dry_run=False, who="Ann", why="bad batch", **to) == [word, "--who=Ann", "--why=bad batch"]


def context(dag: DAG, task: str, **asked: Any) -> Any:
    return {"params": {**ASKED, **asked}, "task": dag.get_task(task)}


def test_only_the_chosen_tables_task_goes_on(dag: DAG) -> None:
    choose(context(dag, "silver.orders"))
    for name in RESTORABLE.keys() - {"silver.orders"}:
        with pytest.raises(AirflowSkipException):
            choose(context(dag, name))
    assert {task._pre_execute_hook for task in dag.tasks} == {choose}


@pytest.mark.parametrize(("who", "why"), [(None, None), ("", ""), ("Ann", None), (None, "bad batch"), (" ", " ")])
def test_restore_in_nobodys_name_fails_before_it_starts(who: str | None, why: str | None, dag: DAG) -> None:
    with pytest.raises(AirflowFailException, match="keeps who decided it and why"):
        choose(context(dag, "silver.orders", dry_run=False, who=who, why=why))
    choose(context(dag, "silver.orders", dry_run=False, who="Ann", why="bad batch"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("table", "silver.nonsense"), ("version", -1), ("version", "1"), ("timestamp", 5), ("dry_run", "maybe")],
)
def test_wrong_field_is_refused_when_a_run_is_asked_for(name: str, value: Any, dag: DAG) -> None:
    with pytest.raises(ParamValidationError):
        deepcopy(dag.params.get_param(name)).resolve(value)
