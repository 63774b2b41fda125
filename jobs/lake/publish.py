"""Publishes a gold table: computes it from the versions that the gate passed, audits, then commits the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import delta, delta_log, gated, ledger, settings, versions
from jobs.lake.ledger import Counts
from jobs.lake.run import Run
from jobs.lake.tables import Table

Compute = Callable[[Mapping[str, DataFrame]], DataFrame]
Audit = Callable[[DataFrame, DataFrame], None]

DELETED = "_deleted"


def publish(spark: SparkSession, run: Run, table: Table, schema: StructType, compute: Compute, audit: Audit) -> Counts:
    """Brings the table to what its gated inputs say. No reader ever sees a row that failed the audit.

    Cost grows with the inputs for computing, and with the changed rows' partitions for writing. Run again, or
    with inputs older than those published, it changes nothing.

    Args:
        spark: the session.
        run: names the gate's verdict to obey.
        table: the gold table.
        schema: its columns, with comments.
        compute: pure function from the input tables to this table's rows.
        audit: called with the rows to write and with the whole new content before the commit; raises to refuse.

    Raises:
        GateError: the gate passed no version of an input, or the audit refused.
    """
    uri = settings.lake().uri(table.name)
    delta.create(spark, uri, schema, table.partition_by, table.description)
    ledger.record(table.name)
    published = delta_log.last_inputs(uri, run.step) or {}
    # A run that was overtaken must not roll gold back: what is published was gated as well.
    inputs = {
        name: max(version, published.get(name, version))
        for name, version in gated.versions(run, table.depends_on).items()
    }
    frames = {name: delta.read(spark, settings.lake().uri(name), version) for name, version in inputs.items()}
    whole = _conformed(compute(frames), schema).persist(StorageLevel.MEMORY_AND_DISK)
    difference = compare(whole, delta.read(spark, uri), table.keys).persist(StorageLevel.MEMORY_AND_DISK)
    classes = {row["_class"]: row["count"] for row in difference.groupBy("_class").count().collect()}
    written = classes.get(versions.NEW, 0) + classes.get(versions.CHANGED, 0)
    counts = Counts(
        read=written + classes.get(versions.UNCHANGED, 0),
        written=written,
        unchanged=classes.get(versions.UNCHANGED, 0),
        deleted=classes.get(DELETED, 0),
    )
    if written or counts.deleted:
        to_write = difference.filter(F.col("_class").isin(versions.NEW, versions.CHANGED)).select(schema.names)
        audit(to_write, whole)
    metadata = run.commit_metadata(inputs, counts=vars(counts))
    if written or counts.deleted:
        changes = difference.filter(F.col("_class") != versions.UNCHANGED).withColumn(
            DELETED, F.col("_class") == DELETED
        )
        places = None
        if table.partition_by:
            (column,) = table.partition_by
            rows = changes.select(column).union(changes.select(F.col(f"_was_{column}"))).distinct().collect()
            places = (column, [row[0] for row in rows if row[0] is not None])
        delta.merge(spark, uri, changes, keys=table.keys, metadata=metadata, partitions=places, deleted=DELETED)
    else:
        delta.commit_nothing(spark, uri, metadata)
    ledger.record(table.name)
    return counts


def compare(whole: DataFrame, current: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Every row of both with `_class` new, changed, unchanged or _deleted, and `_was_<column>` of the old row."""
    names = whole.columns
    new = whole.withColumn("_hash", versions.content_hash(names))
    old = current.select(
        *[F.col(name).alias(f"_was_{name}") for name in names],
        versions.content_hash(names).alias("_was_hash"),
    )
    joined = new.join(old, [new[key] == old[f"_was_{key}"] for key in keys], "full_outer")
    kind = (
        F.when(F.col("_hash").isNull(), DELETED)
        .when(F.col("_was_hash").isNull(), versions.NEW)
        .when(F.col("_hash") == F.col("_was_hash"), versions.UNCHANGED)
        .otherwise(versions.CHANGED)
    )
    # A deleted row keeps its key, by which the merge finds it.
    filled = [F.coalesce(name, f"_was_{name}").alias(name) if name in keys else F.col(name) for name in names]
    return joined.select(*filled, *[f"_was_{name}" for name in names], kind.alias("_class"))


def _conformed(frame: DataFrame, schema: StructType) -> DataFrame:
    return frame.select([F.col(field.name).cast(field.dataType).alias(field.name) for field in schema])
