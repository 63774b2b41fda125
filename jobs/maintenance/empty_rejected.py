"""The step `maintenance.empty_rejected [TABLE] [--tables A,B] [--dry-run]`: old rejected rows lose their content.

Rows in quarantine and dead letters hold raw data, often personal. After `rejected_days` of the registry their content
is set to null. The row stays, with its id, place, rule and time, so that all counts can still be proven.

- Of a quarantined row, bronze still has the content: a replay and a full refresh work as before.
- Of a dead letter, nothing else has it: it can't be replayed any more. Its column `detail` says so.

Older versions of the table have the content until VACUUM removes their files, a week later. The step may be killed at
any moment and run again. A stream gives way for it, and later goes on by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_

from delta.tables import DeltaTable
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from jobs.lake import quarantine, session, settings, tables
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import leases, ledger

FIGURE = "emptied_rows"  # in the ledger's column `housekeeping`
EMPTIED = "content removed after its time"


@dataclass(frozen=True)
class Rejected:
    """A table of what was kept out.

    Attributes:
        name: `quarantine.<table>`, or the dead-letter queue.
        days: after so many days the content goes.
        since: column with the time from which they count.
        content: columns that hold the content.
        held: tables whose leases are held meanwhile: a stream holds those of both its tables.
        note: column that says that the content is gone; None if it shows anyway.
    """

    name: str
    days: int
    since: str
    content: tuple[str, ...]
    held: tuple[str, ...]
    note: str | None = None

    @property
    def uri(self) -> str:
        return settings.lake().uri(self.name)


def empty(run: Run) -> None:
    """Empties what is older than its table's policy. Cost grows with the files that hold such rows.

    Raises:
        ConfigurationError: there is no such table of rejected rows.
        TableBusyError: another job did not let go of a table in time.
    """
    spark = session.spark(run.step)
    for table in _chosen([run.subject] if run.subject else run.tables):
        if log.version(table.uri) is None:
            print(f"{table.name}: no table yet", flush=True)
            continue
        before = datetime.now(UTC) - timedelta(days=table.days)
        if not (number := _count(spark, table, before)) or run.dry_run:
            print(f"{table.name}: {number} rows of more than {table.days} days ago have content", flush=True)
            continue
        with leases.hold(run, *table.held) as held:
            number = _count(spark, table, before)  # nobody adds old rows; somebody may have emptied them
            lease = held[table.name]
            figures = {FIGURE: float(number)}
            record = CommitRecord.of(run, counts=Counts(read=0), fencing=lease.fencing, housekeeping=figures)
            lease.renew()
            with writes.recorded(spark, record):
                DeltaTable.forPath(spark, table.uri).update(_due(table, before), _nothing(table))
            (ledger.record_stream if table.note else ledger.record)(table.name)
        print(f"{table.name}: emptied {number} rows of more than {table.days} days ago", flush=True)


def _chosen(names: Iterable[str]) -> list[Rejected]:
    known = {table.name: table for table in _every()}
    if unknown := set(names) - set(known):
        raise ConfigurationError(
            f"{', '.join(sorted(unknown))} holds no rejected rows; name one of {', '.join(sorted(known))}"
        )
    return [table for table in known.values() if not names or table.name in names]


def _every() -> Iterator[Rejected]:
    for table in tables.layer("silver"):
        name = quarantine.name(table)
        yield Rejected(name, table.rejected_days, "quarantined_at", ("raw_row",), (name,))
    for table in tables.every():
        if table.written_with:
            yield _dead_letters(table, table.written_with)


def _dead_letters(table: Table, events: str) -> Rejected:
    content = ("value", "key", "headers")
    return Rejected(table.name, table.rejected_days, "_ingested_at", content, (events, table.name), note="detail")


def _due(table: Rejected, before: datetime) -> Column:
    """Delta skips the files that have no such row: their statistics tell the oldest time, and where all is null."""
    full = reduce(or_, [F.col(name).isNotNull() for name in table.content])
    return (F.col(table.since) < F.lit(before)) & full


def _nothing(table: Rejected) -> dict[str, str | Column]:
    values: dict[str, str | Column] = {name: F.lit(None) for name in table.content}
    return values | ({table.note: F.lit(EMPTIED)} if table.note else {})


def _count(spark: SparkSession, table: Rejected, before: datetime) -> int:
    return snapshot.read(spark, table.uri).filter(_due(table, before)).count()
