"""What an operator does with rows that were kept out of silver: count them, list them, and replay them after a fix.

Lines show rules, batches and row ids. They never show a row's content, which may hold personal data.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from jobs import steps
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import Table
from jobs.lake.run import Run

LISTED = 1_000


def count(run: Run) -> None:
    """Prints how many rows are kept out, by table, rule and batch."""
    for table in _tables(run):
        rows = _rows(table, run)
        print(f"{quarantine.name(table)}: {rows.num_rows} rows")
        numbers = Counter(zip(rows["rule"].to_pylist(), rows["batch_id"].to_pylist(), strict=True))
        for (rule, batch), number in sorted(numbers.items()):
            print(f"  {number:>6}  {rule}  batch {batch}")


def show(run: Run) -> None:
    """Prints one line for each row that is kept out, oldest first. Athena can show the content, in `raw_row`."""
    for table in _tables(run):
        rows = _rows(table, run).sort_by([("quarantined_at", "ascending"), ("row_id", "ascending")])
        for row in rows.slice(0, LISTED).drop_columns(["raw_row"]).to_pylist():
            print(
                f"{quarantine.name(table)}  {row['row_id']}  {row['quarantined_at']:%Y-%m-%d %H:%M:%S}  {row['rule']}  "
                f"{row['source_table']} batch {row['batch_id']}"
            )
        if rows.num_rows > LISTED:
            print(f"{quarantine.name(table)}: {rows.num_rows - LISTED} more")


def replay(run: Run) -> None:
    """Reads again the batches that brought the chosen rows, with the present rules and code.

    Good rows go to silver and leave the quarantine. Rows that are still bad stay. A second replay changes nothing. Cost
    grows with the rows of the batches.

    Raises:
        ConfigurationError: no table was named.
    """
    if not run.subject:
        raise ConfigurationError("name the silver table whose rows are to be replayed: quarantine.replay silver.orders")
    for table in _tables(run):
        batches = quarantine.batches_of(table, run.rule, run.batches)
        before = quarantine.total(table)
        if batches:
            steps.build(replace(run, step=table.name, batches=batches))
        after = quarantine.total(table)
        print(f"{quarantine.name(table)}: {before} rows before, {after} after replaying {len(batches)} batches")


def _tables(run: Run) -> list[Table]:
    """The silver tables that the operation is about: the named one, or all."""
    silver = tables.layer("silver")
    chosen = [table for table in silver if run.subject in ("", table.name)]
    if not chosen:
        raise ConfigurationError(f"no silver table {run.subject!r}; there are {', '.join(t.name for t in silver)}")
    return chosen


def _rows(table: Table, run: Run) -> pa.Table:
    found = log.dataset(settings.lake().uri(quarantine.name(table)))
    if found is None:
        return pa.table({name: pa.array([], pa.string()) for name in quarantine.SCHEMA.names})
    rows = found.to_table()
    if run.rule:
        rows = rows.filter(pc.match_substring(rows["rule"], run.rule))
    if run.batches:
        rows = rows.filter(pc.is_in(rows["batch_id"], pa.array(run.batches)))
    return rows
