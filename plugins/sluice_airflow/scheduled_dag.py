"""What all DAGs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG

from sluice_airflow.alerts import attach
from sluice_airflow.bounded_timetable import NEVER_TOO_EARLY, BoundedTimetable
from sluice_airflow.job_settings import JobSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from airflow.sdk import Param

    from jobs.lake.registry import Pipeline, Schedule, Upkeep
    from jobs.lake.settings import Deployment


def scheduled_dag(
    pipeline: Pipeline | Upkeep,
    schedule: Schedule | None,
    deployment: Deployment,
    *,
    doc: str | None,
    tags: tuple[str, ...],
    catchup: bool,
    task_defaults: Mapping[str, Any],
    params: Mapping[str, Param] | None = None,
    last: date | None = None,
) -> DAG:
    """An empty DAG of a pipeline, or of none, with its alerts. Only one run of it is active at a time.

    Args:
        pipeline: of the registry; or what belongs to no pipeline.
        schedule: of the registry: the DAG's id, cron and description.
        deployment: says on which day the schedule begins.
        doc: the DAG file's docstring, which the UI shows.
        tags: besides the pipeline's name.
        catchup: whether missed runs are made up for.
        task_defaults: how tasks are retried, and when they run.
        params: the fields of the form by which a person starts a run.
        last: day on which the last scheduled interval may begin; None for no end.

    Raises:
        ValueError: the pipeline has no such schedule.
    """
    if schedule is None:
        raise ValueError(f"{pipeline.name} has no schedule for this DAG: add one to its row in the registry")
    return DAG(
        schedule.dag_id,
        description=schedule.description,
        doc_md=doc,
        schedule=BoundedTimetable(schedule.cron, first=deployment.schedule_start, last=last),
        start_date=NEVER_TOO_EARLY,
        catchup=catchup,
        max_active_runs=1,
        tags=[pipeline.name, *tags],
        default_args={
            "owner": pipeline.owner,
            "retry_exponential_backoff": 2.0,
            "job_settings": JobSettings.of(deployment),
            **attach.TASK,
            **task_defaults,
        },
        params=dict(params or {}),
        **attach.arguments(schedule.cron, deployment),
    )
