"""Builds a silver table from what is new in bronze: rules split off bad rows, then the newest of each key wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import changes, delta, delta_log, ledger, quarantine, settings, versions
from jobs.lake.errors import LakeError
from jobs.lake.ledger import Counts
from jobs.lake.run import Run
from jobs.lake.tables import Table

Reader = Callable[[DataFrame], DataFrame]


def upsert(
    spark: SparkSession,
    run: Run,
    table: Table,
    schema: StructType,
    readers: Mapping[str, Reader],
    broken_rules: Column,
) -> Counts:
    """Merges new bronze rows into the table and commits which bronze versions they came from.

    Cost grows with the new rows and the partitions that they touch. Run again, it changes nothing.

    Args:
        spark: the session.
        run: run id and step for the commit.
        table: the silver table.
        schema: its columns, with comments.
        readers: for each bronze table, the pure function from its rows to the table's columns; one row out for
            each row in, columns whose names begin with `_` carried along.
        broken_rules: names of the row rules that a row breaks, joined by `; `; empty for a good row.
    """
    uri = settings.lake().uri(table.name)
    delta.create(spark, uri, schema, table.partition_by, table.description)
    ledger.record(table.name)
    before = {} if run.full_refresh else (delta_log.last_inputs(uri, run.step) or {})
    inputs = {source: _version(source) for source in readers}
    parts = [
        _typed(
            changes.inserted(spark, settings.lake().uri(source), before.get(source), version), source, readers, schema
        )
        for source, version in inputs.items()
    ]
    incoming = parts[0]
    for part in parts[1:]:
        incoming = incoming.unionByName(part)
    incoming = incoming.withColumn("_rule", broken_rules).persist(StorageLevel.MEMORY_AND_DISK)
    bad = incoming.filter(F.col("_rule") != "")
    good = incoming.filter(F.col("_rule") == "").drop("_rule")
    quarantined = bad.count()
    if quarantined:
        quarantine.write(spark, run, table, bad, inputs)
    target, places = _present_rows(delta.read(spark, uri), good, table)
    classified = versions.classify(good, target, keys=table.keys, order_by=table.order_by).persist(
        StorageLevel.MEMORY_AND_DISK
    )
    classes = {row["_class"]: row["count"] for row in classified.groupBy("_class").count().collect()}
    written = classes.get(versions.NEW, 0) + classes.get(versions.CHANGED, 0)
    counts = Counts(
        read=sum(classes.values()) + quarantined,
        written=written,
        unchanged=classes.get(versions.UNCHANGED, 0),
        superseded=classes.get(versions.SUPERSEDED, 0),
        quarantined=quarantined,
    )
    metadata = run.commit_metadata(inputs, counts=vars(counts))
    if written:
        changed = classified.filter(F.col("_class").isin(versions.NEW, versions.CHANGED)).select(schema.names)
        delta.merge(spark, uri, changed, keys=table.keys, metadata=metadata, partitions=places)
    else:
        delta.commit_nothing(spark, uri, metadata)
    ledger.record(table.name)
    return counts


def _version(source: str) -> int:
    found = delta_log.version(settings.lake().uri(source))
    if found is None:
        raise LakeError(f"{source} has no table yet: run its step first")
    return found


def _typed(raw: DataFrame, source: str, readers: Mapping[str, Reader], schema: StructType) -> DataFrame:
    """Bronze rows as the table's columns, beside the raw row that the quarantine would keep."""
    kept = [name for name in raw.columns if name != "_ingested_at"]
    # to_json leaves null fields out unless told: the quarantine shows the row as it was read.
    carried = raw.withColumns(
        {
            "_raw": F.to_json(F.struct(*kept), {"ignoreNullFields": "false", **versions.EXACT_TIMES}),
            "_source_table": F.lit(source),
        }
    )
    typed = readers[source](carried)
    columns = [F.col(field.name).cast(field.dataType).alias(field.name) for field in schema]
    return typed.select(*columns, "_raw", "_source_table", "_batch_id")


def _present_rows(target: DataFrame, good: DataFrame, table: Table) -> tuple[DataFrame, tuple[str, list[str]] | None]:
    """The table's rows of the incoming keys, and the partitions that they and the incoming rows are in.

    Looks into the partitions that the rows belong to now; a key that is not there may have moved, so the others
    are searched for the keys' range alone, which file statistics make cheap when new keys lie beyond old ones.
    """
    if not table.partition_by:
        return target, None
    (column,) = table.partition_by
    here = [row[0] for row in good.select(column).distinct().collect()]
    in_place = target.filter(F.col(column).isin(here))
    keys = list(table.keys)
    unseen = good.select(keys).distinct().join(in_place.select(keys), keys, "left_anti")
    bounds = unseen.agg(F.min(keys[0]), F.max(keys[0])).first()
    if bounds is None or bounds[0] is None:
        return in_place, (column, here)
    elsewhere = target.filter(~F.col(column).isin(here) & F.col(keys[0]).between(bounds[0], bounds[1]))
    moved = elsewhere.join(F.broadcast(unseen), keys, "left_semi").persist(StorageLevel.MEMORY_AND_DISK)
    old_places = [row[0] for row in moved.select(column).distinct().collect()]
    return in_place.unionByName(moved), (column, sorted({*here, *old_places}))
