"""Rows that a rule split off before silver: `quarantine.<table>` keeps the raw row with the reason.

A row's id comes from source, batch and content, so that a step that runs again adds no row twice. Equal rows of one
batch are numbered, so that each is kept. A row leaves when its batch is read again and the row is good or gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake.exceptions import DeltaError
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType, TimestampType

from jobs.lake import computed, settings
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.schema import column, text
from jobs.lake.state import ledger
from jobs.lake.state.leases import Lease

BatchIds = Mapping[str, Sequence[str] | None]  # by bronze table; None for all batches of the table

SCHEMA = StructType(
    [
        text("row_id", "hash of source, batch, raw row, and number among equal rows of the batch"),
        text("raw_row", "the bronze row as JSON", "restricted"),
        text("rule", "every rule that the row breaks, joined by '; '"),
        text("source_table", "bronze table that the row came from"),
        text("batch_id", "batch that brought it"),
        text("run_id", "run that split it off"),
        column("quarantined_at", TimestampType(), "when, UTC"),
    ]
)


def name(table: Table) -> str:
    """`silver.orders` -> `quarantine.orders`."""
    return f"quarantine.{table.short}"


@dataclass(frozen=True)
class BadRows:
    """The bad rows of batches that were read completely.

    Attributes:
        rows: with `_raw`, `_rule`, `_source_table` and `_batch_id`, computed once.
        number: how many rows there are.
        batches: all batches that were read, including those without bad rows.
    """

    rows: DataFrame
    number: int
    batches: BatchIds


def replace_rows(
    spark: SparkSession,
    run: Run,
    table: Table,
    bad: BadRows,
    inputs: Mapping[str, int],
    held_by: Lease,
    *,
    release: bool,
) -> int | None:
    """Makes the quarantine hold exactly the bad rows of these batches, and writes only what differs.

    Args:
        spark: the session.
        run: run id and step for the commit.
        table: the silver table.
        bad: the bad rows.
        inputs: versions of the bronze tables, for the commit.
        held_by: the quarantine's lease.
        release: also remove rows of these batches that are no longer bad.

    Returns:
        The quarantine's version; None while there is no quarantine.
    """
    uri = settings.lake().uri(name(table))
    known = held(table, bad.batches)
    if not bad.number and not known:
        return log.version(uri)
    what = f"Rows kept out of {table.name}, each with the rules that it breaks."
    writes.create(spark, uri, SCHEMA, None, what, run=run)
    rows = _identified(bad.rows, run)
    if not known:
        counts = Counts(read=bad.number, written=bad.number)
        record = CommitRecord.of(run, inputs=inputs, counts=counts, fencing=held_by.fencing)
        held_by.renew()
        writes.append(rows, uri, record)
    else:
        _correct(spark, run, uri, rows, bad, inputs, held_by, release=release)
    ledger.record(name(table))
    return log.version(uri)


def _correct(
    spark: SparkSession,
    run: Run,
    uri: str,
    rows: DataFrame,
    bad: BadRows,
    inputs: Mapping[str, int],
    held_by: Lease,
    *,
    release: bool,
) -> None:
    """Updates the rows of batches that the quarantine already holds; commits nothing when they are up to date."""
    present = snapshot.read(spark, uri).filter(_of(bad.batches))
    missing = rows.join(present, ["row_id", "rule"], "left_anti").withColumn("_gone", F.lit(False))
    gone = present.join(rows, "row_id", "left_anti").filter(F.lit(release)).withColumn("_gone", F.lit(True))
    changes = computed.once(missing.unionByName(gone))
    numbers = {row["_gone"]: row["count"] for row in changes.groupBy("_gone").count().collect()}
    if numbers:
        added = numbers.get(False, 0)
        counts = Counts(read=bad.number, written=added, unchanged=bad.number - added, deleted=numbers.get(True, 0))
        record = CommitRecord.of(run, inputs=inputs, counts=counts, fencing=held_by.fencing)
        held_by.renew()
        writes.merge(spark, uri, changes, keys=("row_id",), record=record, deleted="_gone")


def held(table: Table, batches: BatchIds, version: int | None = None, after: datetime | None = None) -> int | None:
    """How many rows of these batches the quarantine holds. It reads three columns of the quarantine.

    Args:
        table: the silver table.
        batches: by bronze table; None for all batches of the table.
        version: of the quarantine; the newest if not given.
        after: counts only rows that were split off after this moment.

    Returns:
        None if an older version can't be read any more; 0 without a quarantine.
    """
    uri = settings.lake().uri(name(table))
    try:
        rows = log.dataset(uri, version)
        if rows is None or not batches:
            return 0
        chosen = [
            (ds.field("source_table") == source)
            & (ds.scalar(True) if ids is None else ds.field("batch_id").isin(list(ids)))
            for source, ids in batches.items()
        ]
        late = ds.scalar(True) if after is None else ds.field("quarantined_at") > pa.scalar(after)
        return int(rows.count_rows(filter=reduce(or_, chosen) & late))
    except (DeltaError, FileNotFoundError):
        if version is None:
            raise  # the newest version can always be read: a count that fails is never taken for none
        return None  # the log was cleaned, or VACUUM removed files


def total(table: Table) -> int:
    """How many rows the quarantine holds."""
    uri = settings.lake().uri(name(table))
    version = log.version(uri)
    return 0 if version is None else log.row_count(uri, version)


def batches_of(table: Table, rule: str, batches: Sequence[str]) -> tuple[str, ...]:
    """The batches that have quarantined rows: those that break `rule`, if given, and out of `batches`, if given."""
    found = log.dataset(settings.lake().uri(name(table)))
    if found is None:
        return ()
    rows = found.to_table(columns=["batch_id", "rule"])
    if rule:
        rows = rows.filter(pc.match_substring(rows["rule"], rule))
    known = set(rows["batch_id"].to_pylist())
    return tuple(sorted(known & set(batches) if batches else known))


def _identified(bad: DataFrame, run: Run) -> DataFrame:
    equal = Window.partitionBy("_source_table", "_batch_id", "_raw").orderBy(F.lit(0))
    number = F.row_number().over(equal).cast("string")
    return bad.withColumn("_number", number).select(
        F.sha2(F.concat_ws("\x1f", "_source_table", "_batch_id", "_raw", "_number"), 256).alias("row_id"),
        F.col("_raw").alias("raw_row"),
        F.col("_rule").alias("rule"),
        F.col("_source_table").alias("source_table"),
        F.col("_batch_id").alias("batch_id"),
        F.lit(run.run_id).alias("run_id"),
        F.current_timestamp().alias("quarantined_at"),
    )


def _of(batches: BatchIds) -> Column:
    of, batch = F.col("source_table"), F.col("batch_id")
    chosen = [
        of == source if ids is None else (of == source) & batch.isin(list(ids)) for source, ids in batches.items()
    ]
    return reduce(or_, chosen, F.lit(False))
