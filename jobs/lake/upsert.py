"""Builds a silver table from new bronze rows: rules split off bad rows, then the newest row of each key wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import newest_wins, quarantine, settings, tables
from jobs.lake.delta import changes, inputs, log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.errors import LakeError
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import leases, ledger

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

    Cost grows with the new rows and the partitions that they touch. A second run changes nothing. A full refresh
    reads all of bronze. A run for `batches` reads those again, at the bronze versions that the table was made of.

    Args:
        spark: the session.
        run: run id and step for the commit.
        table: the silver table.
        schema: its columns, with comments.
        readers: for each bronze table, the pure function from its rows to the table's columns. It makes one row of
            each row, and keeps the columns whose names begin with `_`.
        broken_rules: names of the row rules that a row breaks, joined by `; `; empty for a good row.

    Raises:
        LakeError: a bronze table does not exist yet.
    """
    uri = settings.lake().uri(table.name)
    with leases.hold(run, table.name, quarantine.name(table)) as held:
        writes.create(spark, uri, schema, table.partition_by, table.description)
        ledger.record(table.name)
        arrived = _read(spark, run, table, schema, readers)
        incoming = arrived.rows.withColumn("_rule", broken_rules).persist(StorageLevel.MEMORY_AND_DISK)
        tally = _tally(incoming, arrived.whole)
        bad = quarantine.BadRows(incoming.filter(F.col("_rule") != ""), tally.bad, tally.batches)
        # When batches are read again on purpose, rows that are good now leave the quarantine after the table has
        # them. Otherwise only a retry after a kill reads rows again: then they may leave together with the commit of
        # new bad rows, before the table's commit.
        rereads = run.full_refresh or bool(run.batches)
        held[quarantine.name(table)].renew()
        quarantined_at = quarantine.replace_rows(spark, run, table, bad, arrived.inputs, release=not rereads)
        difference = _difference(snapshot.read(spark, uri), incoming, table, tally)
        record = CommitRecord.of(
            run,
            inputs=arrived.inputs,
            input_ids=inputs.ids(arrived.inputs),
            counts=difference.counts,
            since=arrived.since,
            read_by_source=tally.read,
            batches=tally.batches,
            quarantine_version=quarantined_at,
            replayed=run.batches,
            fencing=held[table.name].fencing,
        )
        held[table.name].renew()
        rows = difference.rows.select(schema.names)
        if difference.counts.written and difference.all_new:  # nobody else writes while the lease is held
            writes.append(rows, uri, record)
        elif difference.counts.written:
            writes.merge(spark, uri, rows, keys=table.keys, record=record, partitions=difference.partitions)
        else:
            writes.commit_nothing(spark, uri, record)
        if rereads:
            held[quarantine.name(table)].renew()
            quarantine.replace_rows(spark, run, table, bad, arrived.inputs, release=True)
        ledger.record(table.name)
    return difference.counts


@dataclass(frozen=True)
class _Arrived:
    """Bronze rows with the table's columns, and where in bronze they come from.

    Attributes:
        rows: with `_raw`, `_source_table` and `_batch_id` beside the columns.
        inputs: version of each bronze table.
        since: the version of each bronze table after which its rows were read; None for all rows.
        whole: bronze tables that were read completely. Their batches are not listed: a stream has too many.
    """

    rows: DataFrame
    inputs: Mapping[str, int]
    since: dict[str, int | None]
    whole: list[str]


def _read(spark: SparkSession, run: Run, table: Table, schema: StructType, readers: Mapping[str, Reader]) -> _Arrived:
    last = log.newest_of(settings.lake().uri(table.name), run.step)
    versions = _versions(run, readers, last)
    if not versions:
        raise LakeError(f"{table.name} was never built: there is nothing to read again")
    frames, since = [], {}
    for source, version in versions.items():
        uri = settings.lake().uri(source)
        before = None if run.full_refresh or run.batches else inputs.read_before(source, last)
        raw = changes.inserted(spark, uri, before, version)
        since[source] = None if raw is None else before
        if raw is None:
            raw = snapshot.read(spark, uri, version)
        if run.batches:
            raw = raw.filter(F.col("_batch_id").isin(list(run.batches)))
        frames.append(_typed(raw, source, readers, schema))
    whole = [source for source, version in since.items() if version is None and not run.batches]
    return _Arrived(reduce(DataFrame.unionByName, frames), versions, since, whole)


def _versions(run: Run, sources: Iterable[str], last: Commit | None) -> dict[str, int]:
    """The version of each bronze table to read: its newest, and for a replay the one that the last commit read."""
    known = last.inputs if last else {}
    found: dict[str, int] = {}
    for source in known if run.batches else sources:
        before = inputs.read_before(source, last) if run.batches else None
        version = _version(source, known) if before is None else before
        if version is not None:
            found[source] = version
    return found


@dataclass(frozen=True)
class _Tally:
    """The incoming rows in numbers.

    Attributes:
        batches: that they belong to, by bronze table; None for all batches of the table.
        read: number of rows from each bronze table.
        bad: number of rows that break a rule.
    """

    batches: dict[str, list[str] | None]
    read: dict[str, int]
    bad: int


def _tally(incoming: DataFrame, whole: list[str]) -> _Tally:
    batches: dict[str, list[str]] = {}
    read: dict[str, int] = {}
    bad = 0
    batch_id = F.when(~F.col("_source_table").isin(whole), F.col("_batch_id"))
    numbers = F.count("*"), F.count_if(F.col("_rule") != "")
    for source, batch, rows, broken in incoming.groupBy("_source_table", batch_id).agg(*numbers).collect():
        batches.setdefault(source, []).append(batch)
        read[source] = read.get(source, 0) + rows
        bad += broken
    return _Tally({source: None if source in whole else sorted(ids) for source, ids in batches.items()}, read, bad)


@dataclass(frozen=True)
class _Difference:
    """What the incoming rows change.

    Attributes:
        counts: what becomes of them.
        rows: those to write, with the table's columns and more.
        partitions: the partition column, and its values in which a merge has to look; None to look everywhere.
        all_new: none of the rows has a key that the table knows, so that no merge is needed.
    """

    counts: Counts
    rows: DataFrame
    partitions: tuple[str, list[str]] | None
    all_new: bool


def _difference(present: DataFrame, incoming: DataFrame, table: Table, tally: _Tally) -> _Difference:
    good = incoming.filter(F.col("_rule") == "").drop("_rule")
    target, partitions = _present_rows(present, good, table)
    classified = newest_wins.classify(good, target, keys=table.keys, order_by=table.order_by).persist(
        StorageLevel.MEMORY_AND_DISK
    )
    classes = {row["_class"]: row["count"] for row in classified.groupBy("_class").count().collect()}
    counts = Counts(
        read=sum(tally.read.values()),
        written=classes.get(newest_wins.NEW, 0) + classes.get(newest_wins.CHANGED, 0),
        unchanged=classes.get(newest_wins.UNCHANGED, 0),
        superseded=classes.get(newest_wins.SUPERSEDED, 0),
        quarantined=tally.bad,
    )
    rows = classified.filter(F.col("_class").isin(newest_wins.NEW, newest_wins.CHANGED))
    return _Difference(counts, rows, partitions, all_new=not classes.get(newest_wins.CHANGED))


def _version(source: str, known: Mapping[str, int]) -> int | None:
    """The bronze table's newest version; None for a stream that has not started yet."""
    found = log.version(settings.lake().uri(source))
    if found is None and tables.table(source).continuous and source not in known:
        print(f"{source} has no table yet: its stream has not started")
    elif found is None:
        raise LakeError(f"{source} has no table yet: run its step first")
    return found


def _typed(raw: DataFrame, source: str, readers: Mapping[str, Reader], schema: StructType) -> DataFrame:
    """Bronze rows with the table's columns, and the raw row for the quarantine."""
    kept = [name for name in raw.columns if name != "_ingested_at"]
    # By default, to_json leaves null fields out; the quarantine has to show the row as it was read.
    carried = raw.withColumns(
        {
            "_raw": F.to_json(F.struct(*kept), {"ignoreNullFields": "false", **newest_wins.EXACT_TIMES}),
            "_source_table": F.lit(source),
        }
    )
    typed = readers[source](carried)
    columns = [F.col(field.name).cast(field.dataType).alias(field.name) for field in schema]
    return typed.select(*columns, "_raw", "_source_table", "_batch_id")


def _present_rows(target: DataFrame, good: DataFrame, table: Table) -> tuple[DataFrame, tuple[str, list[str]] | None]:
    """The table's rows with the incoming keys, and the partitions of these rows and of the incoming ones.

    It looks first in the partitions that the incoming rows belong to. A key that is missing there may have moved from
    another partition. So the others are searched too, but only for the range of the missing keys. File statistics
    make that cheap when new keys lie beyond old ones.
    """
    if not table.partition_by:
        return target, None
    column = table.partition_by
    incoming = [row[0] for row in good.select(column).distinct().collect()]
    in_place = target.filter(F.col(column).isin(incoming))
    keys = list(table.keys)
    unseen = good.select(keys).distinct().join(in_place.select(keys), keys, "left_anti")
    bounds = unseen.agg(F.min(keys[0]), F.max(keys[0])).first()
    if bounds is None or bounds[0] is None:
        return in_place, (column, incoming)
    elsewhere = target.filter(~F.col(column).isin(incoming) & F.col(keys[0]).between(bounds[0], bounds[1]))
    moved = elsewhere.join(F.broadcast(unseen), keys, "left_semi").persist(StorageLevel.MEMORY_AND_DISK)
    former = [row[0] for row in moved.select(column).distinct().collect()]
    return in_place.unionByName(moved), (column, sorted({*incoming, *former}))
