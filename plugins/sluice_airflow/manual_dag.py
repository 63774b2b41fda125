"""What DAGs that only people start have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG

from sluice_airflow.alerts import attach
from sluice_airflow.bounded_timetable import NEVER_TOO_EARLY
from sluice_airflow.job_settings import JobSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Param

    from jobs.lake.settings import Deployment


def manual_dag(
    dag_id: str,
    deployment: Deployment,
    *,
    description: str,
    doc: str | None,
    task_defaults: Mapping[str, Any],
    params: Mapping[str, Param],
) -> DAG:
    """An empty DAG without a schedule, with its alerts. Only one run of it is active at a time.

    Args:
        dag_id: its id, and its file: `dags/<dag_id>.py`.
        deployment: for the tasks.
        description: one sentence for the UI.
        doc: the DAG file's docstring, which the UI shows.
        task_defaults: how tasks are retried.
        params: the fields of the form by which a person starts a run.
    """
    return DAG(
        dag_id,
        description=description,
        doc_md=doc,
        schedule=None,
        start_date=NEVER_TOO_EARLY,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # a paused DAG's run would wait
        tags=["operations"],
        default_args={
            "retry_exponential_backoff": 2.0,
            "job_settings": JobSettings.of(deployment),
            **attach.TASK,
            **task_defaults,
        },
        params=dict(params),
        **attach.arguments(None, deployment),
    )
