"""Airflow's callbacks, for every DAG of ours (`attach`). They are quick, and whatever happens in one fails no task.

A task's run in its own process after its last try; a DAG run's in the DAG processor. A task that is retried, or that
never ran because another failed, has none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from airflow.configuration import conf

from sluice_airflow.alerts import aws
from sluice_airflow.alerts.cause import Told, of
from sluice_airflow.alerts.desk import Desk
from sluice_airflow.alerts.open_causes import WHOLE_RUN, Failed
from sluice_airflow.run_window import RunWindow

log = logging.getLogger(__name__)


def task_failed(context: Any) -> None:
    """A task has failed, and no retry follows."""
    _quietly(_task_failed, context)


def task_succeeded(context: Any) -> None:
    """A task has succeeded."""
    _quietly(_task_succeeded, context)


def run_failed(context: Any) -> None:
    """A DAG run has failed."""
    _quietly(_run_failed, context)


def run_succeeded(context: Any) -> None:
    """A DAG run has succeeded."""
    _quietly(_run_succeeded, context)


def _task_failed(context: Any) -> None:
    task = context["ti"]
    aws.count({"TasksFailed": 1}, Dag=task.dag_id)
    told = of(task.dag_id, context.get("exception"))
    failed = Failed(task.task_id, task.run_id, _exact(context))
    Desk.of(task.dag_id).failed(told.cause, failed, _about(told, task), told_before=lambda: _another_failed(task))


def _task_succeeded(context: Any) -> None:
    task = context["ti"]
    aws.count({"TasksSucceeded": 1}, Dag=task.dag_id)
    Desk.of(task.dag_id).succeeded(Failed(task.task_id, task.run_id, _exact(context)))


def _run_failed(context: Any) -> None:
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    about = {
        "title": f"{dag_id}: a run failed",
        "what": f"Run {run_id} failed, and none of its tasks could tell why.",
        "links": [["DAG run", run_address(dag_id, run_id)]],
    }
    Desk.of(dag_id).run_failed(run_id, about, exact=_exact(context))


def _run_succeeded(context: Any) -> None:
    dag = context["dag"]
    tasks = frozenset({*dag.task_ids, WHOLE_RUN})
    Desk.of(dag.dag_id).succeeded(Failed(WHOLE_RUN, context["run_id"], _exact(context)), tasks=tasks)


def _about(told: Told, task: Any) -> dict[str, Any]:
    """What is told of a task's failure."""
    cause, subject = told.cause, told.cause.step or task.task_id
    others = "" if cause.step else " Other tasks that fail of the same cause are not told one by one."
    return {
        "title": f"{cause.dag_id}: {subject}: {cause.error}",
        "what": f"Task {task.task_id} of run {task.run_id} failed with {cause.error} in try {task.try_number}, the "
        f"last.{others}{f'{chr(10)}{told.text}' if told.text else ''}",
        "links": [
            ["Task and its log", task.log_url],
            ["DAG run", run_address(task.dag_id, task.run_id)],
        ],
    }


def run_address(dag_id: str, run_id: str) -> str:
    """Where Airflow shows a DAG run."""
    return f"{conf.get('api', 'base_url', fallback='http://localhost:8080').rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"


def _another_failed(task: Any) -> bool:
    """Whether another task of the run has failed before. A task counts as failed once its callback is over."""
    try:
        states = task.get_task_states(dag_id=task.dag_id, run_ids=[task.run_id])[task.run_id]
    except Exception as error:  # better twice than never
        log.warning("Airflow can't say which tasks have failed: %s", type(error).__name__)
        return False
    return any(state == "failed" for name, state in states.items() if name != task.task_id)


def _exact(context: Any) -> bool:
    """Whether the run reads exactly one window, so that no other run makes up for it."""
    try:
        run = context["dag_run"]
        return RunWindow.of(run, context.get("params") or {}).exact or run.run_type == "backfill"
    except (AttributeError, KeyError, ValueError):  # a context without its run, or a window that makes no sense
        return str(context.get("run_id", "")).startswith("backfill__")


def _quietly(callback: Callable[[Any], None], context: Any) -> None:
    try:
        callback(context)
    except Exception:  # an alert that fails must fail no task: the log and the figure AlertsNotSent tell it
        log.exception("%s could not be told", callback.__name__.strip("_"))
