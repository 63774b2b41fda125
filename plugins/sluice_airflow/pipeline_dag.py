"""The DAG that takes a pipeline's sources to gold, made from the pipeline's row in the registry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sluice_airflow.parameters import chosen_tables, form, source_arguments
from sluice_airflow.scheduled_dag import scheduled_dag
from sluice_airflow.table_tasks import table_stages

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline
    from jobs.lake.settings import Deployment

RETRIES = {"retries": 2, "max_retry_delay": timedelta(minutes=30)}


def pipeline_dag(pipeline: Pipeline, deployment: Deployment, *, doc: str | None) -> DAG:
    """Bronze, silver, gate, gold and register, over all tables that the pipeline's runs build."""
    with scheduled_dag(
        pipeline,
        pipeline.schedule,
        deployment,
        doc=doc,
        tags=("daily",) if is_daily(pipeline.schedule.cron) else (),
        catchup=True,
        last=deployment.schedule_end,
        params=form(pipeline),
        # A table that was skipped by choice doesn't hold up the rest.
        task_defaults={**RETRIES, "trigger_rule": "none_failed"},
    ) as dag:
        table_stages(
            pipeline,
            pipeline.built,
            deployment.lake_bucket,
            limited_to=chosen_tables(pipeline),
            selected_by="tables" if "tables" in pipeline.parameters else None,
            source_arguments=source_arguments(pipeline),
        )
    return dag


def is_daily(cron: str) -> bool:
    """Whether a cron expression means one run on each day."""
    minute, hour, *days = cron.split()
    return minute.isdigit() and hour.isdigit() and days == ["*", "*", "*"]
