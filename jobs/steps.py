"""Builds a table: the one place where its data (schema, readers, compute), its suite and the kernel meet."""

from __future__ import annotations

from importlib import import_module

from dq import audit, roll_up, rules, suite
from jobs.lake import ingest, publish, session, table_module, tables, upsert
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import metrics


def build(run: Run) -> None:
    """Runs the step of the table that `run.step` names.

    Raises:
        ConfigurationError: the table's module or suite is missing, or lacks something that the kernel needs.
    """
    table = tables.table(run.step)
    if table.continuous:  # it never ends: what it wrote is rolled up by the gate
        table_module.load(table)
        _stream(run, table)
        return
    try:
        _build(run, table)
    finally:
        roll_up.roll_up([table.name])


def _build(run: Run, table: Table) -> None:
    module = table_module.load(table)
    spark = session.spark(run.step)
    match table.layer:
        case "bronze":
            ingest.ingest(spark, run, table, module.SCHEMA, module.extract)
        case "silver":
            broken = rules.broken(suite.load(table.name))
            counts = upsert.upsert(spark, run, table, module.SCHEMA, module.READERS, broken)
            metrics.send({"RowsQuarantined": counts.quarantined}, Table=table.name)
        case "gold":
            affected = getattr(module, "affected", None)
            publish.publish(spark, run, table, module.SCHEMA, module.compute, audit.of(run), affected)


def _stream(run: Run, table: Table) -> None:
    """Runs the table's stream with the module of its source system."""
    from jobs.catalog import register_glue_tables  # a batch step needs no catalog

    stream = import_module(f"jobs.sources.{table.system}.stream")
    stream.run(session.spark(run.step), run, stream.of_table(table), register=register_glue_tables.register_tables)
