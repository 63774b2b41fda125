"""Publishes a gold table from the versions that the gate passed: computes, audits, then commits the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import conform, newest_wins, settings, table_module, tables
from jobs.lake.delta import changes, inputs, log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, leases, ledger

DELETED = "_deleted"


@dataclass(frozen=True)
class AffectedRows:
    """The rows of a gold table that may differ because its inputs changed.

    Attributes:
        keys: the keys of these rows, each once.
        inputs: the input rows from which `compute` makes the rows of exactly these keys.
        partitions: partition values in which these keys are or will be; None if they can be anywhere.
    """

    keys: DataFrame
    inputs: Mapping[str, DataFrame]
    partitions: Sequence[str] | None = None


Frames = Mapping[str, DataFrame]  # by table
# A pure function from the input tables' rows to the gold table's.
Compute = Callable[[Frames], DataFrame]
# From the inputs' net changes (`changes.net`) and the inputs: the affected rows, or None to compute the whole table.
Affected = Callable[[Frames, Frames], AffectedRows | None]
# Takes the rows to write and the whole new content; it raises an error to refuse them.
Audit = Callable[[DataFrame, DataFrame], None]


def publish(
    spark: SparkSession,
    run: Run,
    table: Table,
    schema: StructType,
    compute: Compute,
    audit: Audit,
    affected: Affected | None = None,
) -> Counts:
    """Updates the table to what its gated inputs say. No reader ever sees a row that failed the audit.

    Cost grows with the input rows that changed since the last commit, the affected rows, and their partitions. The
    whole table is computed instead, with the same result, in these cases: without `affected`, the first time, on a
    full refresh, by a release other than the last commit's, and if an input's change feed is gone. A second run
    changes nothing. Neither does a run whose inputs are older than those published.

    Args:
        spark: the session.
        run: names the gate's verdict to obey.
        table: the gold table.
        schema: its columns.
        compute: makes its rows.
        audit: called before the commit, unless nothing changes.
        affected: limits the work to what changed.

    Raises:
        GateError: the gate passed no version of an input, or the audit refused.
    """
    uri = settings.lake().uri(table.name)
    with leases.hold(run, table.name) as held:
        retired = table_module.retired(table)
        writes.create(spark, uri, schema, table.partition_by, table.description, run=run, retired=retired)
        ledger.record(table.name)
        last = log.newest_of(uri, run.step)
        versions = {
            name: _not_before(name, version, last)
            for name, version in gate_verdicts.passed_versions(run, table.depends_on).items()
        }
        frames = {name: snapshot.read(spark, settings.lake().uri(name), version) for name, version in versions.items()}
        affected_rows = _affected(spark, affected, versions, frames, last) if _may_be_partial(run, last) else None
        current = snapshot.read(spark, uri).select(schema.names)
        touched = current if affected_rows is None else _rows_of(current, affected_rows, table)
        made = compute(frames if affected_rows is None else affected_rows.inputs)
        new = made.select(conform.columns(made, schema, table.name))
        difference = compare(new, touched, table.keys).persist(StorageLevel.MEMORY_AND_DISK)
        classes = {row["_class"]: row["count"] for row in difference.groupBy("_class").count().collect()}
        written = classes.get(newest_wins.NEW, 0) + classes.get(newest_wins.CHANGED, 0)
        unchanged, deleted = classes.get(newest_wins.UNCHANGED, 0), classes.get(DELETED, 0)
        counts = Counts(read=written + unchanged, written=written, unchanged=unchanged, deleted=deleted)
        if written or deleted:
            audit(_to_write(difference, schema), _content(current, difference, table, schema, affected_rows))
        fencing = held[table.name].fencing
        record = CommitRecord.of(
            run,
            inputs=versions,
            input_ids=inputs.ids(versions),
            counts=counts,
            whole=affected_rows is None,
            fencing=fencing,
        )
        held[table.name].renew()
        if classes.get(newest_wins.CHANGED) or deleted:
            _merge(spark, uri, table, difference, record)
        elif written:  # only new rows: nobody else writes while the lease is held
            writes.append(_to_write(difference, schema), uri, record)
        else:
            writes.commit_nothing(spark, uri, record)
        ledger.record(table.name)
    return counts


def _may_be_partial(run: Run, last: Commit | None) -> bool:
    """Whether the same release made the last commit: another release may compute other rows."""
    return not run.full_refresh and last is not None and last.record is not None and last.record.code == run.code


def _not_before(name: str, version: int, last: Commit | None) -> int:
    """The gated version, or the published one if it is newer: a run that another overtook must not take gold back.

    What is published passed a gate too.
    """
    published = inputs.read_before(name, last)
    return version if published is None else max(version, published)


def _affected(
    spark: SparkSession, affected: Affected | None, versions: Mapping[str, int], frames: Frames, last: Commit | None
) -> AffectedRows | None:
    if affected is None or last is None:
        return None
    changed: dict[str, DataFrame] = {}
    for name, version in versions.items():
        keys, since = tables.table(name).keys, inputs.read_before(name, last)
        net = changes.net(spark, settings.lake().uri(name), keys, since, version)
        if net is None:
            return None
        changed[name] = net.persist(StorageLevel.MEMORY_AND_DISK)
    return affected(changed, frames)


def _rows_of(current: DataFrame, affected_rows: AffectedRows, table: Table) -> DataFrame:
    if affected_rows.partitions is not None and table.partition_by:
        current = current.filter(F.col(table.partition_by).isin(list(affected_rows.partitions)))
    return current.join(F.broadcast(affected_rows.keys), list(table.keys), "left_semi")


def _to_write(difference: DataFrame, schema: StructType) -> DataFrame:
    return difference.filter(F.col("_class").isin(newest_wins.NEW, newest_wins.CHANGED)).select(schema.names)


def _content(
    current: DataFrame, difference: DataFrame, table: Table, schema: StructType, affected_rows: AffectedRows | None
) -> DataFrame:
    """The table as it will be."""
    new = difference.filter(F.col("_class") != DELETED).select(schema.names)
    if affected_rows is None:
        return new
    return current.join(F.broadcast(affected_rows.keys), list(table.keys), "left_anti").unionByName(new)


def _merge(spark: SparkSession, uri: str, table: Table, difference: DataFrame, record: CommitRecord) -> None:
    changed = difference.filter(F.col("_class") != newest_wins.UNCHANGED)
    changed = changed.withColumn(DELETED, F.col("_class") == DELETED)
    partitions = None
    if column := table.partition_by:
        values = changed.select(column).union(changed.select(F.col(f"_was_{column}"))).distinct().collect()
        partitions = (column, [row[0] for row in values if row[0] is not None])
    writes.merge(spark, uri, changed, keys=table.keys, record=record, partitions=partitions, deleted=DELETED)


def compare(new: DataFrame, current: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Every row of both, with `_class` (new, changed, unchanged or _deleted) and the old row as `_was_<column>`."""
    names = new.columns
    new = new.withColumn("_hash", newest_wins.content_hash(names))
    old = current.select(
        *[F.col(name).alias(f"_was_{name}") for name in names],
        newest_wins.content_hash(names).alias("_was_hash"),
    )
    joined = new.join(old, [new[key] == old[f"_was_{key}"] for key in keys], "full_outer")
    kind = (
        F.when(F.col("_hash").isNull(), DELETED)
        .when(F.col("_was_hash").isNull(), newest_wins.NEW)
        .when(F.col("_hash") == F.col("_was_hash"), newest_wins.UNCHANGED)
        .otherwise(newest_wins.CHANGED)
    )
    # A deleted row keeps its key, so that the merge finds it.
    filled = [F.coalesce(name, f"_was_{name}").alias(name) if name in keys else F.col(name) for name in names]
    return joined.select(*filled, *[f"_was_{name}" for name in names], kind.alias("_class"))
