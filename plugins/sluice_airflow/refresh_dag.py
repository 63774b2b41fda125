"""The DAG that takes what a pipeline's streams have written to gold, made from the pipeline's row in the registry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sluice_airflow.scheduled_dag import scheduled_dag
from sluice_airflow.table_tasks import table_stages

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline
    from jobs.lake.settings import Deployment

RETRIES = {"retries": 1, "retry_delay": timedelta(minutes=1), "max_retry_delay": timedelta(minutes=5)}


def refresh_dag(pipeline: Pipeline, deployment: Deployment, *, doc: str | None) -> DAG:
    """Silver, gate, gold and register, over the tables that a stream's messages come to.

    Raises:
        ValueError: the pipeline has no streams.
    """
    with scheduled_dag(
        pipeline,
        pipeline.refresh,
        deployment,
        doc=doc,
        tags=("stream",),
        catchup=False,  # each run takes all that is new
        task_defaults={**RETRIES, "trigger_rule": "none_failed"},
    ) as dag:
        table_stages(
            pipeline,
            pipeline.refreshed,
            deployment.lake_bucket,
            limited_to=",".join(table.name for table in pipeline.refreshed),
        )
    return dag
