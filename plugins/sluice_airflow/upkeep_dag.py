"""The DAG that looks after the tables of all pipelines, made from its row in the registry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Param

from sluice_airflow.emr.operator import EmrJobOperator
from sluice_airflow.scheduled_dag import scheduled_dag

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from jobs.lake.registry import Upkeep
    from jobs.lake.settings import Deployment

STEPS = ("maintenance.optimize_vacuum", "maintenance.fold_history", "maintenance.empty_rejected")
RETRIES = {"retries": 2, "retry_delay": timedelta(minutes=10), "max_retry_delay": timedelta(hours=1)}


def upkeep_dag(upkeep: Upkeep, deployment: Deployment, *, doc: str | None) -> DAG:
    """A task for each step. None waits for another, and each walks the registry: a new table needs no change here."""
    with scheduled_dag(
        upkeep,
        upkeep.schedule,
        deployment,
        doc=doc,
        tags=("maintenance",),
        catchup=False,  # each run takes all that changed since the last
        params={"dry_run": Param(False, type="boolean", description="Show what it would do, and change nothing")},
        task_defaults=RETRIES,
    ) as dag:
        for step in STEPS:
            EmrJobOperator(
                task_id=step.partition(".")[2],
                step=step,
                arguments=["{{ '--dry-run' if params.dry_run else '' }}"],
                windowed=False,
                execution_timeout_minutes=upkeep.minutes,
            )
    return dag
