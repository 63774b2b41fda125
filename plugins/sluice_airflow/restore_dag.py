"""The DAG with which a person takes one table back to an earlier version, for every table of the registry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Context, Param, TaskGroup
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from sluice_airflow.emr.operator import EmrJobOperator
from sluice_airflow.manual_dag import manual_dag
from sluice_airflow.parameters import MOMENT

if TYPE_CHECKING:
    from jobs.lake.registry import Table
    from jobs.lake.settings import Deployment

RETRIES = {
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "max_retry_delay": timedelta(minutes=5),
}
ARGUMENTS = {
    "--version": "{{ '' if params.version is none else params.version }}",
    "--timestamp": "{{ params.timestamp or '' }}",
    # Without who and why, the step only shows what it would do.
    "--who": "{{ '' if params.dry_run else params.who or '' }}",
    "--why": "{{ '' if params.dry_run else params.why or '' }}",
}


def restore_dag(tables: Sequence[Table], deployment: Deployment, *, doc: str | None) -> DAG:
    """One task for each table, of which a run does one: in the pool of its table, so that it waits for its writers.

    Tables that go back with another one have none.
    """
    restorable = [table for table in tables if table.written_with is None]
    names = [table.name for table in restorable]
    with manual_dag(
        "restore_table",
        deployment,
        description="Takes one table back to an earlier version; by default it only shows what that would do.",
        doc=doc,
        task_defaults=RETRIES,
        params={
            "table": Param(names[0], type="string", enum=names, description="The table that goes back"),
            "version": Param(None, type=["null", "integer"], minimum=0, description="To this version"),
            "timestamp": Param(None, **MOMENT, description="Or to the version that it had at this moment"),
            "dry_run": Param(True, type="boolean", description="Only show what would go, come back and change"),
            # Text that can't be null has to be given before Airflow's form lets one start anything: a dry run, too.
            "who": Param(None, type=["null", "string"], description="Who decided it; kept in the table's commit"),
            "why": Param(None, type=["null", "string"], description="And why"),
        },
    ) as dag:
        groups = {layer: TaskGroup(layer) for layer in dict.fromkeys(table.layer for table in restorable)}
        for table in restorable:
            EmrJobOperator(
                task_id=table.short,
                task_group=groups[table.layer],
                step="restore",
                subject=table.name,
                arguments=ARGUMENTS,
                windowed=False,
                pre_execute=choose,
                owner=table.owner,
                pool=table.name,
                doc=f"Takes {table.name} back to an earlier version.",
                execution_timeout_minutes=table.minutes,
            )
    return dag


def choose(context: Context) -> None:
    """Lets only the chosen table's task go on, and that one only with a name and a reason or as a dry run.

    Raises:
        AirflowSkipException: another table was chosen.
        AirflowFailException: nobody said who restores and why.
    """
    params: dict[str, Any] = context["params"]
    task: Any = context["task"]
    if task.subject != params["table"]:
        raise AirflowSkipException(f"{params['table']} was chosen, and not {task.subject}")
    if not params["dry_run"] and not all((params[name] or "").strip() for name in ("who", "why")):
        raise AirflowFailException("a restore keeps who decided it and why: give both, or leave dry_run on")
