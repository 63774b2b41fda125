"""The tasks of a DAG that builds tables, from what the registry says of them: their stages, order, pools and assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from airflow.sdk import Asset, TaskGroup

from sluice_airflow.emr.operator import EmrJobOperator


class Table(Protocol):
    """What of `jobs.lake.tables.Table` is needed: a plugin can't import the DAG folder."""

    @property
    def name(self) -> str: ...
    @property
    def short(self) -> str: ...
    @property
    def layer(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def depends_on(self) -> tuple[str, ...]: ...


def asset(table: str, lake_bucket: str) -> Asset:
    """A table as Airflow's lineage knows it."""
    return Asset(name=table, uri=f"s3://{lake_bucket or 'lake'}/{table.replace('.', '/')}")


def table_task(
    table: Table, lake_bucket: str, *, arguments: Mapping[str, Any] | None = None, selected_by: str | None = None
) -> EmrJobOperator:
    """The step that builds a table.

    Args:
        table: of the registry.
        lake_bucket: the lake's bucket.
        arguments: options of `run.py`.
        selected_by: DAG parameter that lists the tables to build.
    """
    return EmrJobOperator(
        task_id=table.short,
        step=table.name,
        arguments=arguments or {},
        pool=table.name,  # one job at a time writes a table, also where another DAG or a backfill runs beside this one
        doc=table.description,
        selected_by=selected_by,
        inlets=[asset(name, lake_bucket) for name in table.depends_on],
        outlets=[asset(table.name, lake_bucket)],
    )


def table_stages(
    tables: Sequence[Table],
    lake_bucket: str,
    *,
    limited_to: str,
    selected_by: str | None = None,
    bronze_arguments: Mapping[str, Any] | None = None,
) -> None:
    """Bronze, silver, gate, gold, register: in the DAG that is being made, for these tables.

    Args:
        tables: that the DAG builds. What else they read is there, or comes by another DAG.
        lake_bucket: the lake's bucket.
        limited_to: the tables that a run is limited to, by comma; empty for all there are. A table that a run leaves
            out is judged by the gate as it is; one that should be there and isn't closes the gate.
        selected_by: DAG parameter that lists the tables to build.
        bronze_arguments: options of `run.py` for the steps that read a source.
    """
    layers = [layer for layer in ("bronze", "silver") if any(table.layer == layer for table in tables)]
    groups = {name: TaskGroup(name) for name in (*layers, "gate", "gold", "register")}
    tasks = {}
    for table in tables:
        with groups[table.layer]:
            arguments = bronze_arguments if table.layer == "bronze" else None
            tasks[table.name] = table_task(table, lake_bucket, arguments=arguments, selected_by=selected_by)
    silver, gold = (
        [asset(table.name, lake_bucket) for table in tables if table.layer == name] for name in ("silver", "gold")
    )
    gate = EmrJobOperator(
        task_id="silver",
        step="gate",
        arguments={"--tables": limited_to},
        task_group=groups["gate"],
        inlets=silver,
    )
    register = EmrJobOperator(task_id="glue", step="register", task_group=groups["register"], inlets=silver + gold)
    for table in tables:
        for name in table.depends_on:
            if name in tasks:
                tasks[name] >> tasks[table.name]
    groups["silver"] >> gate >> groups["gold"] >> register
