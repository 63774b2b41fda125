"""Finds what a step runs: a table's own module by its registry name, the gate, the registration, an operation."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from jobs.lake import tables
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run

# Imported when asked for: each needs other, slow libraries.
STEPS = {
    "gate": "dq.run_ge_checks:gate",
    "register": "jobs.catalog.register_glue_tables:register_all",
    "dlq.count": "jobs.operations.dlq:count",
    "dlq.replay": "jobs.operations.dlq:replay",
    "dlq.sample": "jobs.operations.dlq:sample",
    "lineage": "jobs.operations.lineage:show",
    "quarantine.count": "jobs.operations.quarantine:count",
    "quarantine.list": "jobs.operations.quarantine:show",
    "quarantine.replay": "jobs.operations.quarantine:replay",
    "stream.accept_checkpoint": "jobs.operations.stream:accept_checkpoint",
    "stream.accept_gap": "jobs.operations.stream:accept_gap",
    **{table.name: f"{table.module}:build" for table in tables.every() if table.written_with is None},
}


def perform(run: Run) -> None:
    """Runs a step.

    Raises:
        ConfigurationError: no such step.
    """
    if run.step not in STEPS:
        raise ConfigurationError(f"no step {run.step!r}; there are {', '.join(sorted(STEPS))}")
    module, _, name = STEPS[run.step].partition(":")
    step: Callable[[Run], object] = getattr(import_module(module), name)
    step(run)
