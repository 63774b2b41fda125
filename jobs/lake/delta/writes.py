"""Writes Delta tables through Spark. Every write records its inputs in its commit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake.delta import columns, retention, snapshot
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.delta.retention import BATCHES, LogRetention
from jobs.lake.run import Run

# The change feed lets the next layer read only what is new. Tables that Athena reads stay at reader version 1:
# no deletion vectors, no column mapping.
PROPERTIES = {"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "false"}
STATISTICS = "delta.dataSkippingStatsColumns"
USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


def create(
    spark: SparkSession,
    uri: str,
    schema: StructType,
    partition_by: str | None,
    description: str,
    statistics: Sequence[str] = (),
    kept: LogRetention = BATCHES,
    *,
    run: Run | None = None,
    retired: Collection[str] | None = (),
) -> None:
    """Creates the table, with the schema's column comments; a table that exists gets the columns that it lacks.

    Args:
        spark: the session.
        uri: of the table.
        schema: of the table.
        partition_by: partition column; None without one.
        description: for the catalog.
        statistics: columns for which the log keeps each file's smallest and largest value; if empty, the first 32.
        kept: of the log. A table that exists already gets what it lacks of it.
        run: named by the commit that adds columns.
        retired: as in `columns.follow`.

    Raises:
        SchemaContractError: the table differs in more than new columns.
    """
    builder = DeltaTable.createIfNotExists(spark).location(uri).addColumns(schema).comment(description)
    if partition_by:
        builder = builder.partitionedBy(partition_by)
    chosen = {STATISTICS: ",".join(statistics)} if statistics else {}
    for key, value in {**PROPERTIES, **chosen, **kept.properties()}.items():
        builder = builder.property(key, value)
    builder.execute()
    columns.follow(spark, uri, schema, partition_by, run=run, retired=retired)
    retention.complete(spark, uri, kept)


def replace_batch(frame: DataFrame, uri: str, batch_id: str, record: CommitRecord, *, add_columns: bool) -> None:
    """Replaces the rows of one `_batch_id` by `frame` in one commit; the table is partitioned by it."""
    writer = frame.write.format("delta").mode("overwrite").option("userMetadata", record.to_json())
    if add_columns:
        writer = writer.option("mergeSchema", "true")
    writer.option("replaceWhere", f"_batch_id = '{batch_id}'").save(uri)


def append(frame: DataFrame, uri: str, record: CommitRecord) -> None:
    """Adds rows in one commit."""
    frame.write.format("delta").mode("append").option("userMetadata", record.to_json()).save(uri)


def commit_nothing(spark: SparkSession, uri: str, record: CommitRecord) -> None:
    """Commits a record without rows: the inputs were read and changed nothing."""
    append(snapshot.read(spark, uri).limit(0), uri, record)


@contextmanager
def recorded(spark: SparkSession, record: CommitRecord) -> Iterator[None]:
    """Adds the record to the commits made inside the block. MERGE, DELETE and OPTIMIZE have no option for it."""
    spark.conf.set(USER_METADATA, record.to_json())
    try:
        yield
    finally:
        spark.conf.unset(USER_METADATA)


def restore(spark: SparkSession, uri: str, to: int, record: CommitRecord) -> None:
    """Makes the table what it was at a version, in one commit: rows, columns and properties."""
    with recorded(spark, record):
        DeltaTable.forPath(spark, uri).restoreToVersion(to)


def merge(
    spark: SparkSession,
    uri: str,
    changed: DataFrame,
    *,
    keys: Sequence[str],
    record: CommitRecord,
    partitions: tuple[str, Sequence[str]] | None = None,
    deleted: str | None = None,
) -> None:
    """Upserts `changed`, which holds only rows that differ, one per key.

    Args:
        spark: the session.
        uri: the table.
        changed: rows to write; columns that the table doesn't have are ignored. Columns that only the table has are
            retired: null is written there.
        keys: columns that identify a row.
        record: of the commit.
        partitions: the partition column, and the values in which the keys can be. They become literals in the
            condition, so that only their files are read and writers of other partitions don't conflict.
        deleted: name of a boolean column of `changed`; rows in which it is true are deleted.
    """
    condition = " AND ".join(f"t.`{key}` = s.`{key}`" for key in keys)
    if partitions:
        column, places = partitions
        literals = ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(places))
        condition += f" AND t.`{column}` IN ({literals})"
    target = DeltaTable.forPath(spark, uri)
    values: dict[str, str | Column] = {
        name: f"s.`{name}`" if name in changed.columns else F.lit(None) for name in target.toDF().columns
    }
    with recorded(spark, record):
        merging = target.alias("t").merge(changed.alias("s"), condition)
        if deleted:
            merging = merging.whenMatchedDelete(f"s.`{deleted}`")
        merging.whenMatchedUpdate(set=values).whenNotMatchedInsert(values=values).execute()
