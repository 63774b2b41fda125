"""Finds what a step runs: a table's own module by its registry name, the gate, or the registration."""

from __future__ import annotations

from importlib import import_module

from jobs.lake import tables
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run


def perform(run: Run) -> None:
    """Runs a step.

    Raises:
        ConfigurationError: no such step.
    """
    if run.step == "gate":
        from dq import run_ge_checks

        run_ge_checks.gate(run)
    elif run.step == "register":
        from jobs.catalog import register_glue_tables

        register_glue_tables.register_all()
    elif run.step in {table.name for table in tables.TABLES}:
        import_module(tables.table(run.step).module).build(run)
    else:
        known = ", ".join([*(table.name for table in tables.TABLES), "gate", "register"])
        raise ConfigurationError(f"no step {run.step!r}; there are {known}")
