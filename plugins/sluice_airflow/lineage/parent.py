"""The task instance as OpenLineage names it, so that the events of its job run can say who started it."""

from __future__ import annotations

from typing import Any

from airflow.providers.openlineage import conf
from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter


def lineage_parent(context: Any) -> str:
    """`<namespace>/<dag>.<task>/<run id>`; the run id is the one in the provider's own events of this try.

    The provider's macro of that name asks the task instance for its whole context once more; here it is at hand.
    """
    task_instance, dag_run = context["ti"], context["dag_run"]
    run_id = OpenLineageAdapter.build_task_instance_run_id(
        dag_id=task_instance.dag_id,
        task_id=task_instance.task_id,
        try_number=task_instance.try_number,
        logical_date=getattr(dag_run, "logical_date", None) or dag_run.run_after,
        map_index=task_instance.map_index,
    )
    return f"{conf.namespace()}/{task_instance.dag_id}.{task_instance.task_id}/{run_id}"
