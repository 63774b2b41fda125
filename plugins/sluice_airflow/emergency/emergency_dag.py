"""The DAG that stops all that Sluice does, and its undo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param

from sluice_airflow.emergency.operator import EmergencyStopOperator, Stream
from sluice_airflow.manual_dag import manual_dag

if TYPE_CHECKING:
    from jobs.lake.registry import Pipeline
    from jobs.lake.settings import Deployment

RETRIES = {
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "max_retry_delay": timedelta(minutes=2),
}


def emergency_dag(
    pipelines: Sequence[Pipeline], folder: Path, owner: str, deployment: Deployment, *, doc: str | None
) -> DAG:
    """One task, which pauses every DAG that has a file in the folder and a schedule.

    Args:
        pipelines: whose streams are drained.
        folder: of this deployment's DAG files, each named as its DAG.
        owner: the team that is called when it fails.
        deployment: says where Airflow and EMR Serverless are.
        doc: the DAG file's docstring.
    """
    with manual_dag(
        "emergency_stop",
        deployment,
        description="Stops everything at once and keeps what ran; its undo lets exactly that run again.",
        doc=doc,
        task_defaults={"owner": owner, **RETRIES},
        params={
            "action": Param("stop", type="string", enum=["stop", "undo"], description="What to do"),
            "who": Param("", type="string", description="Who decided it"),
            "why": Param("", type="string", description="And why"),
        },
    ) as dag:
        EmergencyStopOperator(
            task_id="emergency_stop",
            dag_ids=sorted({path.stem for path in folder.glob("*.py")} - {dag.dag_id}),
            streams=[
                Stream(table.name, pipeline.streams.dag_id, f"{table.short}.keep_alive")
                for pipeline in pipelines
                for table in pipeline.continuous
                if pipeline.streams and table.written_with is None
            ],
            airflow_address=deployment.airflow_address,
            mwaa_environment=deployment.mwaa_environment,
            priority_weight=10_000,
            weight_rule="absolute",
        )
    return dag
