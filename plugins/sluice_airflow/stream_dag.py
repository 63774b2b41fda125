"""The DAG that keeps a pipeline's streams running, made from the pipeline's row in the registry."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import Param, TaskGroup

from sluice_airflow.scheduled_dag import scheduled_dag
from sluice_airflow.stream.desired_state import desired_state_key, report_key
from sluice_airflow.stream.keep_alive import EmrStreamOperator
from sluice_airflow.stream.watch import StreamWatchOperator
from sluice_airflow.table_tasks import asset

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline, Table
    from jobs.lake.settings import Deployment

RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=20), "max_retry_delay": timedelta(minutes=2)}


def stream_dag(pipeline: Pipeline, deployment: Deployment, *, doc: str | None) -> DAG:
    """For each stream: a task that keeps it alive, and a task that watches how it does.

    Raises:
        ValueError: the pipeline has no streams.
    """
    with scheduled_dag(
        pipeline,
        pipeline.streams,
        deployment,
        doc=doc,
        tags=("stream",),
        catchup=False,
        params={"action": Param("run", enum=["run", "stop", "restart"], description="What to do with the stream")},
        task_defaults=RETRIES,
    ) as dag:
        for table in pipeline.continuous:
            if table.written_with is None:
                others = [other.name for other in pipeline.continuous if other.written_with == table.name]
                _stream_tasks(table, others, pipeline.refreshed, deployment.lake_bucket)
    return dag


def _stream_tasks(table: Table, others: list[str], refreshed: tuple[Table, ...], lake_bucket: str) -> None:
    with TaskGroup(table.short):
        keep = EmrStreamOperator(
            task_id="keep_alive",
            step=table.name,
            owner=table.owner,
            desired_state_key=desired_state_key(table.name),
            pool=table.name,
            outlets=[asset(name, lake_bucket) for name in (table.name, *others)],
        )
        watch = StreamWatchOperator(
            task_id="watch",
            keeper=keep.task_id,
            desired_state_key=desired_state_key(table.name),
            report_key=report_key(table.name),
            dead_letters=", ".join(others),
            table=table.name,
            tables=[table.name, *others, *(each.name for each in refreshed)],
            trigger_rule="all_done",  # even when keep_alive failed, the stream may be well
        )
        keep >> watch
