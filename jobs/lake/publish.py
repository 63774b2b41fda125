"""Publishes a gold table from the versions that the gate passed: computes, audits, then commits the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import newest_wins, settings, tables
from jobs.lake.delta import changes, log, snapshot, writes
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, leases, ledger
from jobs.lake.state.ledger import Counts

Audit = Callable[[DataFrame, DataFrame], None]

DELETED = "_deleted"


@dataclass(frozen=True)
class Part:
    """What of a gold table changed inputs can have changed.

    Attributes:
        keys: the table's keys, each once.
        inputs: the input rows from which `compute` gives the rows of exactly these keys.
        places: values of the partition column in which these keys are or will be; None for anywhere.
    """

    keys: DataFrame
    inputs: Mapping[str, DataFrame]
    places: Sequence[str] | None = None


@dataclass(frozen=True)
class Recipe:
    """How a gold table comes from its inputs.

    Attributes:
        schema: its columns, with comments.
        compute: pure function from the input tables' rows to this table's rows.
        affected: the part that net changes of the inputs (`changes.net`) touch; None to compute the whole instead.
    """

    schema: StructType
    compute: Callable[[Mapping[str, DataFrame]], DataFrame]
    affected: Callable[[Mapping[str, DataFrame], Mapping[str, DataFrame]], Part | None]


def publish(spark: SparkSession, run: Run, table: Table, recipe: Recipe, audit: Audit) -> Counts:
    """Brings the table to what its gated inputs say. No reader ever sees a row that failed the audit.

    Cost grows with the rows that changed in the inputs since the versions that gold was made of, the rows that they
    affect, and the partitions of these. The whole is computed instead at the first time, on a full refresh, by other
    code than the last commit's, and where the inputs' change feed is gone; the table is the same. Run again, or with
    inputs older than those published, it changes nothing.

    Args:
        spark: the session.
        run: names the gate's verdict to obey.
        table: the gold table.
        recipe: how it is computed.
        audit: called with the rows to write and with the whole new content before the commit; raises to refuse.

    Raises:
        GateError: the gate passed no version of an input, or the audit refused.
    """
    uri = settings.lake().uri(table.name)
    with leases.hold(run, table.name) as held:
        writes.create(spark, uri, recipe.schema, table.partition_by, table.description)
        ledger.record(table.name)
        published = log.last_inputs(uri, run.step) or {}
        # A run that was overtaken must not roll gold back: what is published was gated as well.
        inputs = {
            name: max(version, published.get(name, version))
            for name, version in gate_verdicts.versions(run, table.depends_on).items()
        }
        frames = {name: snapshot.read(spark, settings.lake().uri(name), version) for name, version in inputs.items()}
        part = None if run.full_refresh or not _same_code(run, uri) else _part(spark, recipe, published, inputs, frames)
        current = snapshot.read(spark, uri)
        touched = current if part is None else _rows_of(current, part, table)
        new = _conformed(recipe.compute(frames if part is None else part.inputs), recipe.schema)
        difference = compare(new, touched, table.keys).persist(StorageLevel.MEMORY_AND_DISK)
        classes = {row["_class"]: row["count"] for row in difference.groupBy("_class").count().collect()}
        written = classes.get(newest_wins.NEW, 0) + classes.get(newest_wins.CHANGED, 0)
        unchanged, deleted = classes.get(newest_wins.UNCHANGED, 0), classes.get(DELETED, 0)
        counts = Counts(read=written + unchanged, written=written, unchanged=unchanged, deleted=deleted)
        if written or deleted:
            audit(_to_write(difference, recipe.schema), _content(current, difference, table, recipe.schema, part))
        metadata = run.commit_metadata(
            inputs, counts=vars(counts), whole=part is None, fencing=held[table.name].fencing
        )
        held[table.name].renew()
        if classes.get(newest_wins.CHANGED) or deleted:
            _merge(spark, uri, table, difference, metadata)
        elif written:  # only new rows: nobody else writes while the lease is held
            writes.append(_to_write(difference, recipe.schema), uri, metadata)
        else:
            writes.commit_nothing(spark, uri, metadata)
        ledger.record(table.name)
    return counts


def _same_code(run: Run, uri: str) -> bool:
    """Whether the table is as the same release has left it: another may compute otherwise."""
    made = next((c for c in log.effective(uri) if c.metadata.get("step") == run.step), None)
    return made is not None and made.metadata.get("code") == run.code


def _part(
    spark: SparkSession,
    recipe: Recipe,
    published: Mapping[str, int],
    inputs: Mapping[str, int],
    frames: Mapping[str, DataFrame],
) -> Part | None:
    changed: dict[str, DataFrame] = {}
    for name, version in inputs.items():
        net = changes.net(spark, settings.lake().uri(name), tables.table(name).keys, published.get(name), version)
        if net is None:
            return None
        changed[name] = net.persist(StorageLevel.MEMORY_AND_DISK)
    return recipe.affected(changed, frames)


def _rows_of(current: DataFrame, part: Part, table: Table) -> DataFrame:
    if part.places is not None:
        current = current.filter(F.col(str(table.partition_by)).isin(list(part.places)))
    return current.join(F.broadcast(part.keys), list(table.keys), "left_semi")


def _to_write(difference: DataFrame, schema: StructType) -> DataFrame:
    return difference.filter(F.col("_class").isin(newest_wins.NEW, newest_wins.CHANGED)).select(schema.names)


def _content(
    current: DataFrame, difference: DataFrame, table: Table, schema: StructType, part: Part | None
) -> DataFrame:
    """The table as it will be."""
    new = difference.filter(F.col("_class") != DELETED).select(schema.names)
    if part is None:
        return new
    return current.join(F.broadcast(part.keys), list(table.keys), "left_anti").unionByName(new)


def _merge(spark: SparkSession, uri: str, table: Table, difference: DataFrame, metadata: str) -> None:
    changed = difference.filter(F.col("_class") != newest_wins.UNCHANGED).withColumn(
        DELETED, F.col("_class") == DELETED
    )
    places = None
    if table.partition_by:
        column = table.partition_by
        rows = changed.select(column).union(changed.select(F.col(f"_was_{column}"))).distinct().collect()
        places = (column, [row[0] for row in rows if row[0] is not None])
    writes.merge(spark, uri, changed, keys=table.keys, metadata=metadata, partitions=places, deleted=DELETED)


def compare(whole: DataFrame, current: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Every row of both with `_class` new, changed, unchanged or _deleted, and `_was_<column>` of the old row."""
    names = whole.columns
    new = whole.withColumn("_hash", newest_wins.content_hash(names))
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
    # A deleted row keeps its key, by which the merge finds it.
    filled = [F.coalesce(name, f"_was_{name}").alias(name) if name in keys else F.col(name) for name in names]
    return joined.select(*filled, *[f"_was_{name}" for name in names], kind.alias("_class"))


def _conformed(frame: DataFrame, schema: StructType) -> DataFrame:
    return frame.select([F.col(field.name).cast(field.dataType).alias(field.name) for field in schema])
