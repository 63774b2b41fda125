"""What a table's new content changes, row by row, and the one commit that changes it."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.lake.delta import writes
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.newest_wins import HASH, content_hash
from jobs.lake.registry import Table

NEW, CHANGED, UNCHANGED, DELETED = "new", "changed", "unchanged", "deleted"
_IS_DELETED = "_deleted"


def compare(new: DataFrame, current: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Every row of both, with `_class` (new, changed, unchanged or deleted) and the old row as `_was_<column>`.

    Args:
        new: rows as they are to be, one for each key; a `_hash` that they have already is kept.
        current: rows as they are, with the same columns.
        keys: columns that identify a row. A deleted row keeps its key, so that a merge finds it.
    """
    names = [name for name in new.columns if name != HASH]
    if HASH not in new.columns:
        new = new.withColumn(HASH, content_hash(names))
    old = current.select(*[F.col(name).alias(f"_was_{name}") for name in names], content_hash(names).alias("_was_hash"))
    joined = new.join(old, [new[key] == old[f"_was_{key}"] for key in keys], "full_outer")
    kind = (
        F.when(F.col(HASH).isNull(), DELETED)
        .when(F.col("_was_hash").isNull(), NEW)
        .when(F.col(HASH) == F.col("_was_hash"), UNCHANGED)
        .otherwise(CHANGED)
    )
    filled = [F.coalesce(name, f"_was_{name}").alias(name) if name in keys else F.col(name) for name in names]
    return joined.select(*filled, HASH, *[f"_was_{name}" for name in names], kind.alias("_class"))


def to_write(difference: DataFrame, columns: list[str]) -> DataFrame:
    """The rows to insert or to update."""
    return difference.filter(F.col("_class").isin(NEW, CHANGED)).select(columns)


def commit(
    spark: SparkSession, uri: str, table: Table, difference: DataFrame, classes: Mapping[str, int], record: CommitRecord
) -> None:
    """Commits a difference: by appending if all rows are new, without rows if there is none, else by merging.

    Args:
        spark: the session.
        uri: of the table, whose lease the caller holds.
        table: its row in the registry.
        difference: from `compare`, computed once.
        classes: number of rows of each class.
        record: of the commit.
    """
    columns = [name for name in difference.columns if f"_was_{name}" in difference.columns]
    if classes.get(CHANGED) or classes.get(DELETED):
        _merge(spark, uri, table, difference, record)
    elif classes.get(NEW):  # nobody else writes while the lease is held
        writes.append(to_write(difference, columns), uri, record)
    else:
        writes.commit_nothing(spark, uri, record)


def _merge(spark: SparkSession, uri: str, table: Table, difference: DataFrame, record: CommitRecord) -> None:
    changed = difference.filter(F.col("_class") != UNCHANGED)
    changed = changed.withColumn(_IS_DELETED, F.col("_class") == DELETED)
    partitions = None
    if column := table.partition_by:
        values = changed.select(column).union(changed.select(F.col(f"_was_{column}"))).distinct().collect()
        partitions = (column, [row[0] for row in values if row[0] is not None])
    writes.merge(spark, uri, changed, keys=table.keys, record=record, partitions=partitions, deleted=_IS_DELETED)
