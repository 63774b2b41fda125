"""The DAG that writes the daily report."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sluice_airflow.emr.operator import EmrJobOperator
from sluice_airflow.scheduled_dag import scheduled_dag

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from jobs.lake.registry import Upkeep
    from jobs.lake.settings import Deployment

RETRIES = {"retries": 2, "max_retry_delay": timedelta(minutes=30)}


def report_dag(upkeep: Upkeep, deployment: Deployment, *, doc: str | None) -> DAG:
    """One task: the step `report.daily`, about the day before the end of the run's interval."""
    with scheduled_dag(
        upkeep,
        upkeep.schedule,
        deployment,
        doc=doc,
        tags=(),
        catchup=False,  # a report of a day that is long over helps nobody; a person can ask for it
        task_defaults=RETRIES,
    ) as dag:
        EmrJobOperator(task_id="report", step="report.daily", execution_timeout_minutes=upkeep.minutes)
    return dag
