"""A gold table's own gate: it judges what a step is about to commit."""

from __future__ import annotations

from collections.abc import Callable

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from dq import results, shown, suite, validate
from jobs.lake.errors import GateError
from jobs.lake.run import Run


def of(run: Run) -> Callable[[DataFrame, DataFrame], None]:
    """The audit of the run's table: takes the rows to write and the whole new content.

    On a critical failure the audit raises GateError, and nothing is committed.
    """
    rules = suite.load(run.step)

    def audit(rows: DataFrame, whole: DataFrame) -> None:
        # Each rule about the whole table reads it: it is made once, of the columns that they name.
        read = validate.columns_of_whole(rules)
        names = [name for name in whole.columns if read is None or name in read] or whole.columns[:1]
        narrow = whole.select(names).persist(StorageLevel.MEMORY_AND_DISK)
        judged = shown.masked(run.step, validate.validate(rules, rows, narrow, shown.key_columns(run.step)))
        narrow.unpersist()
        uri = results.write(run, rules, judged, version=None)
        lines = results.summary(run.step, judged)
        print("\n".join(lines), flush=True)
        if any(judgement.critical for judgement in judged):
            text = f"{run.step} was not published. {' '.join(lines)} All results: {uri}"
            raise GateError(text, brief=f"It was not published. {results.refused(run.step, judged)}")

    return audit
