"""The tasks of a DAG that builds tables: their stages, order, owners, pools and assets follow from the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, TaskGroup, chain

from sluice_airflow.emr.operator import EmrJobOperator

if TYPE_CHECKING:
    from jobs.lake.registry import Pipeline, Table


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
        owner=table.owner,
        pool=table.name,  # one job at a time writes a table, even when another DAG or a backfill runs beside this one
        doc=table.description,
        selected_by=selected_by,
        execution_timeout_minutes=table.minutes,
        inlets=[asset(name, lake_bucket) for name in table.depends_on],
        outlets=[asset(table.name, lake_bucket)],
    )


def table_stages(
    pipeline: Pipeline,
    tables: Sequence[Table],
    lake_bucket: str,
    *,
    limited_to: str,
    selected_by: str | None = None,
    source_arguments: Mapping[str, Any] | None = None,
) -> None:
    """Bronze, silver, gate, gold, register: for these tables of a pipeline, in the DAG that is being made.

    Args:
        pipeline: whose gate and whose registration these are.
        tables: that the DAG builds. What else they read is there already, or another DAG builds it.
        lake_bucket: the lake's bucket.
        limited_to: the tables that a run is limited to, separated by commas; empty for all. The gate judges a table
            that a run leaves out as it is. A table that should have been built and is missing closes the gate.
        selected_by: DAG parameter that lists the tables to build.
        source_arguments: options of `run.py` for the steps that can lose rows of a source: bronze and silver.
    """
    stages = ("bronze", "silver", "gate", "gold", "register")
    groups = {name: TaskGroup(name) for name in stages if name in {"gate", "register", *(t.layer for t in tables)}}
    tasks = {}
    for table in tables:
        with groups[table.layer]:
            arguments = source_arguments if table.layer in ("bronze", "silver") else None
            tasks[table.name] = table_task(table, lake_bucket, arguments=arguments, selected_by=selected_by)
    silver, gold = (
        [asset(table.name, lake_bucket) for table in tables if table.layer == name] for name in ("silver", "gold")
    )
    gate = EmrJobOperator(
        task_id="silver",
        step="gate",
        subject=pipeline.name,
        arguments={"--tables": limited_to},
        task_group=groups["gate"],
        execution_timeout_minutes=pipeline.gate_minutes,
        inlets=silver,
    )
    register = EmrJobOperator(
        task_id="glue",
        step="register",
        subject=pipeline.name,
        task_group=groups["register"],
        execution_timeout_minutes=pipeline.register_minutes,
        inlets=silver + gold,
    )
    for table in tables:
        for name in table.depends_on:
            if name in tasks:
                tasks[name] >> tasks[table.name]
    chain(*(stage for stage in (groups.get("silver"), gate, groups.get("gold"), register) if stage))
