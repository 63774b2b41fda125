"""The one entry point of every job: `run.py STEP [--run-id …]`.

It prints what it did. On failure it prints one last line, `SLUICE-ERROR {json}`, and exits with a code for the kind of
failure.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from jobs.lake import errors, tables
from jobs.lake.run import ACCEPTABLE, Run, utc

if TYPE_CHECKING:
    from jobs.lineage.events import Lineage

# The steps besides those of the tables. Each is imported only when it runs, because its libraries are slow to load.
STEPS = {
    "gate": "dq.run_ge_checks:gate",
    "register": "jobs.catalog.register_glue_tables:register",
    "canary": "jobs.operations.canary:try_release",
    "commits.accept": "jobs.operations.commits:accept",
    "dlq.count": "jobs.operations.dlq:count",
    "dlq.replay": "jobs.operations.dlq:replay",
    "dlq.sample": "jobs.operations.dlq:sample",
    "lease.break": "jobs.operations.lease:break_",
    "lease.show": "jobs.operations.lease:show",
    "history": "jobs.maintenance.table_history:show",
    "lineage": "jobs.operations.lineage:show",
    "maintenance.empty_rejected": "jobs.maintenance.empty_rejected:empty",
    "maintenance.fold_history": "jobs.maintenance.history:fold",
    "maintenance.optimize_vacuum": "jobs.maintenance.optimize_vacuum:housekeep",
    "quarantine.count": "jobs.operations.quarantine:count",
    "quarantine.list": "jobs.operations.quarantine:show",
    "quarantine.replay": "jobs.operations.quarantine:replay",
    "report.daily": "jobs.operations.daily_report:report",
    "restore": "jobs.maintenance.restore:restore",
    "stream.accept_checkpoint": "jobs.operations.stream:accept_checkpoint",
    "stream.accept_gap": "jobs.operations.stream:accept_gap",
}


class _Parser(argparse.ArgumentParser):
    """argparse of Python 3.11 drops `--` where it is an option's value; a run may be called so, as anything else."""

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        if action.option_strings and arg_strings == ["--"]:
            return self._get_value(action, "--")
        return super()._get_values(action, arg_strings)


def parse(arguments: list[str]) -> Run:
    """The run that the command line asks for."""
    parser = _Parser(prog="run.py", description="Runs one step of a pipeline.")
    parser.add_argument("step", help="bronze.fx_rates, silver.orders, gate, gold.fact_orders, register, ...")
    subject = "pipeline or table that the step is about: gate lakehouse, lineage gold.fact_orders"
    parser.add_argument("subject", nargs="?", default="", help=subject)
    parser.add_argument("--dag", dest="dag_id", default="by_hand", help="DAG that the run belongs to")
    by_hand = f"manual__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    parser.add_argument("--run-id", default=by_hand, help="id that all steps of one pipeline run share")
    parser.add_argument("--window-start", type=utc, help="start of the data interval, ISO 8601, UTC")
    parser.add_argument("--window-end", type=utc, help="end of the data interval, ISO 8601, UTC")
    parser.add_argument("--exact", action="store_true", help="read exactly the interval; move no watermark")
    parser.add_argument("--full-refresh", action="store_true", help="read and rebuild everything")
    parser.add_argument(
        "--tables", type=_names, default=(), help="tables of a limited run, separated by commas; all if not given"
    )
    parser.add_argument(
        "--accept", type=_names, default=(), help=f"damage to accept, separated by commas: {ACCEPTABLE}"
    )
    parser.add_argument("--rule", default="", help="quarantine: rows that break this rule; dlq: this reason")
    parser.add_argument(
        "--batches", type=_names, default=(), help="quarantine: rows of these batches, separated by commas"
    )
    parser.add_argument(
        "--offsets", type=_names, default=(), help="dlq: messages of PARTITION:FROM-TO, separated by commas"
    )
    parser.add_argument("--version", type=int, help="restore: go back to this version; history: begin with it")
    parser.add_argument("--timestamp", type=utc, help="restore: go back to the version of this moment, ISO 8601, UTC")
    parser.add_argument("--who", default="", help="commits.accept, lease.break, restore: who decided it")
    parser.add_argument("--why", default="", help="commits.accept, lease.break, restore: and why")
    parser.add_argument("--dry-run", action="store_true", help="maintenance: say what it would do, and change nothing")
    parser.add_argument("--job", default="", help="name of the job run; other jobs use it to see whether it is live")
    parser.add_argument(
        "--lineage-parent", default="", help="the Airflow task that started it, as OpenLineage names it"
    )
    parser.add_argument("--code", default="unreleased", help="hash of the code release")
    given = parser.parse_args(arguments)
    return Run(**vars(given))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def perform(run: Run) -> None:
    """Runs a step.

    Raises:
        ConfigurationError: there is no such step.
    """
    built = [table.name for table in tables.every() if table.written_with is None]
    if run.step not in (*STEPS, *built):
        raise errors.ConfigurationError(f"no step {run.step!r}; there are {', '.join(sorted((*STEPS, *built)))}")
    module, _, name = STEPS.get(run.step, "jobs.steps:build").partition(":")
    step: Callable[[Run], object] = getattr(import_module(module), name)
    step(run)


def main(arguments: list[str]) -> int:
    """Runs the step; returns its exit code."""
    run = parse(arguments)
    lineage = _lineage(run)
    if lineage:
        lineage.started()
    try:
        perform(run)
    except Exception as error:
        if not isinstance(error, errors.LakeError):
            traceback.print_exc()
        if lineage:
            lineage.ended(error)
        code, line = errors.report(error)
        print(line, file=sys.stderr, flush=True)
        return code
    if lineage:
        lineage.ended()
    return 0


def _lineage(run: Run) -> Lineage | None:
    """What tells of a job run; None outside of one, and where nothing is to change."""
    if not run.job or run.dry_run:
        return None
    from jobs.lineage.events import Lineage

    return Lineage(run)


def end(code: int) -> NoReturn:
    """Stops Spark and ends the process at once.

    Python's normal exit can abort ("terminate called without an active exception") because of threads that Arrow's
    readers leave behind. Then a step that has committed would count as failed.
    """
    if "pyspark" in sys.modules:
        from pyspark.sql import SparkSession

        if session := SparkSession.getActiveSession():
            session.stop()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end(main(sys.argv[1:]))
