"""The DAG that stops everything: about every DAG of the folder and every stream of the registry."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from jobs.lake.registry import Pipeline
from jobs.lake.tables import PIPELINES
from sluice_airflow.emergency.operator import Stream

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


@pytest.fixture
def dag(bag: DagBag) -> DAG:
    return bag.dags["emergency_stop"]


def test_every_other_dag_is_stopped(dag: DAG, bag: DagBag) -> None:
    (task,) = dag.tasks
    assert set(task.dag_ids) == bag.dags.keys() - {dag.dag_id}


def test_every_stream_is_drained_by_the_name_of_the_task_that_keeps_it_alive(dag: DAG, bag: DagBag) -> None:
    (task,) = dag.tasks
    tables = [(p, t) for p in PIPELINES for t in p.continuous if t.written_with is None]
    assert task.streams == [Stream(table.name, _streams(p), f"{table.short}.keep_alive") for p, table in tables]
    assert tables
    for stream in task.streams:
        assert bag.dags[stream.dag_id].get_task(stream.task_id).step == stream.table


def _streams(pipeline: Pipeline) -> str:
    assert pipeline.streams
    return pipeline.streams.dag_id


def test_it_starts_at_once_when_a_person_asks_and_at_no_other_time(dag: DAG) -> None:
    assert dag.schedule is None
    assert dag.is_paused_upon_creation is False
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("value", ["pause", "", None])
def test_unknown_action_is_refused(value: Any, dag: DAG) -> None:
    with pytest.raises(ParamValidationError):
        deepcopy(dag.params.get_param("action")).resolve(value)
