"""A gold table's own gate: it judges what a step is about to commit."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame

from dq import results, suite, validate
from jobs.lake.errors import GateError
from jobs.lake.run import Run


def of(run: Run) -> Callable[[DataFrame, DataFrame], None]:
    """The audit of the run's table: takes the rows to write and the whole new content.

    On a critical failure the audit raises GateError, and nothing is committed.
    """
    rules = suite.load(run.step)

    def audit(rows: DataFrame, whole: DataFrame) -> None:
        judged = validate.validate(rules, rows, whole)
        uri = results.write(run, rules, judged, version=None)
        lines = results.summary(run.step, judged)
        print("\n".join(lines), flush=True)
        if any(judgement.critical for judgement in judged):
            raise GateError(f"{run.step} was not published. {' '.join(lines)} All results: {uri}")

    return audit
