"""Builds a silver table from bronze: rules split off bad rows, then the newest row of each key wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import arrivals, computed, difference, quarantine, settings, table_module, wanted_rows
from jobs.lake.arrivals import Arrived, Bronze, Reader
from jobs.lake.delta import inputs, log, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.difference import CHANGED, DELETED, NEW
from jobs.lake.errors import DataError
from jobs.lake.newest_wins import HASH
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import leases, ledger
from jobs.lake.wanted_rows import Decided

# Beyond this share of the table (and beyond a handful), rows that left bronze look like an accident there.
LARGEST_LOSS, HANDFUL = 0.1, 10


def upsert(
    spark: SparkSession,
    run: Run,
    table: Table,
    schema: StructType,
    readers: Mapping[str, Reader],
    broken_rules: Column,
) -> Counts:
    """Makes the table what bronze gives: of each key's rows that keep the rules, the newest one.

    Cost grows with the batches that changed and the partitions that their rows touch. A key is looked up in all of
    bronze only if the newest row can't be told otherwise (`newest_wins.undecided`). A second run changes nothing. A
    full refresh reads all of bronze, and gives the same. A run for `batches` reads those again.

    Args:
        spark: the session.
        run: run id and step for the commit.
        table: the silver table.
        schema: its columns, with comments.
        readers: for each bronze table, the pure function from its rows to the table's columns. It makes one row of
            each row, and keeps the columns whose names begin with `_`. It may add `_position`: the row's place at its
            source, an array of numbers, which decides between rows of the same time.
        broken_rules: names of the row rules that a row breaks, joined by `; `; empty for a good row.

    Raises:
        LakeError: a bronze table does not exist yet.
        DataError: so many rows would leave the table that bronze looks damaged; nothing was written.
    """
    uri = settings.lake().uri(table.name)
    with leases.hold(run, table.name, quarantine.name(table)) as held:
        retired = table_module.retired(table)
        writes.create(spark, uri, schema, table.partition_by, table.description, run=run, retired=retired)
        ledger.record(table.name)
        bronze = Bronze(spark, schema, readers, broken_rules)
        arrived = arrivals.read(bronze, run, table)
        incoming = computed.once(arrived.rows)
        tally = _tally(incoming, arrived)
        decided = wanted_rows.decide(bronze, incoming, arrived, table)
        outcome = _outcome(decided, incoming, table, tally)
        _refuse_great_loss(run, table, outcome.counts.deleted)
        bad = quarantine.BadRows(incoming.filter(F.col("_rule") != ""), tally.bad, tally.batches)
        # When batches are read again on purpose, rows that are good now leave the quarantine after the table has
        # them. Otherwise only a retry after a kill reads rows again: then they may leave together with the commit of
        # new bad rows, before the table's commit.
        rereads = run.full_refresh or bool(run.batches)
        kept_out = held[quarantine.name(table)]
        quarantined_at = quarantine.replace_rows(spark, run, table, bad, arrived.inputs, kept_out, release=not rereads)
        record = CommitRecord.of(
            run,
            inputs=arrived.inputs,
            input_ids=inputs.ids([*arrived.inputs, quarantine.name(table)]),
            counts=outcome.counts,
            since=arrived.since,
            read_by_source=tally.read,
            batches=tally.batches,
            lost=arrived.lost,
            quarantine_version=quarantined_at,
            replayed=run.batches,
            fencing=held[table.name].fencing,
        )
        held[table.name].renew()
        difference.commit(spark, uri, table, outcome.rows, outcome.classes, record)
        if rereads:
            quarantine.replace_rows(spark, run, table, bad, arrived.inputs, kept_out, release=True)
        ledger.record(table.name)
    return outcome.counts


@dataclass(frozen=True)
class _Tally:
    """The incoming rows in numbers.

    Attributes:
        batches: that were read, also those that are empty now, by bronze table; None for all batches of the table.
        read: number of rows from each bronze table.
        bad: number of rows that break a rule.
    """

    batches: dict[str, list[str] | None]
    read: dict[str, int]
    bad: int


def _tally(incoming: DataFrame, arrived: Arrived) -> _Tally:
    batches = {source: set(ids) for source, ids in arrived.lost.items()}
    read: dict[str, int] = {}
    bad = 0
    batch_id = F.when(~F.col("_source_table").isin(list(arrived.whole)), F.col("_batch_id"))
    numbers = F.count("*"), F.count_if(F.col("_rule") != "")
    for source, batch, rows, broken in incoming.groupBy("_source_table", batch_id).agg(*numbers).collect():
        batches.setdefault(source, set()).add(batch)
        read[source] = read.get(source, 0) + rows
        bad += broken
    listed = {source: sorted(ids) for source, ids in batches.items() if source not in arrived.whole}
    return _Tally({**listed, **dict.fromkeys(arrived.whole)}, read, bad)


@dataclass(frozen=True)
class _Outcome:
    """What the incoming rows come to.

    Attributes:
        counts: what becomes of them.
        rows: from `difference.compare`, computed once.
        classes: number of rows of each class.
    """

    counts: Counts
    rows: DataFrame
    classes: Mapping[str, int]


def _outcome(decided: Decided, incoming: DataFrame, table: Table, tally: _Tally) -> _Outcome:
    """Counts an incoming row as written if it is what the table is to hold and did not hold; else by its content."""
    compared = difference.compare(decided.wanted, decided.present, table.keys)
    equal = incoming.filter(F.col("_rule") == "").groupBy(*table.keys, HASH).agg(F.count("*").alias("_equal"))
    rows = computed.once(compared.join(equal, [*table.keys, HASH], "left"))
    classes, arriving, equals = {}, {}, 0
    for kind, number, arrived, same in (
        rows.groupBy("_class").agg(F.count("*"), F.count("_equal"), F.coalesce(F.sum("_equal"), F.lit(0))).collect()
    ):
        classes[kind], arriving[kind] = number, arrived
        equals += same
    read = sum(tally.read.values())
    written = arriving.get(NEW, 0) + arriving.get(CHANGED, 0)
    counts = Counts(
        read=read,
        written=written,
        unchanged=equals - written,
        superseded=read - tally.bad - equals,
        quarantined=tally.bad,
        deleted=classes.get(DELETED, 0),
        reinstated=classes.get(NEW, 0) + classes.get(CHANGED, 0) - written,
    )
    return _Outcome(counts, rows, classes)


def _refuse_great_loss(run: Run, table: Table, deleted: int) -> None:
    if deleted <= HANDFUL or "fewer_rows" in run.accept:
        return
    uri = settings.lake().uri(table.name)
    held = log.row_count(uri, log.version(uri) or 0)
    if deleted > ceil(held * LARGEST_LOSS):
        raise DataError(
            f"{table.name}: {deleted} of {held} rows are no longer in bronze, or break a rule now. Nothing was "
            "written. Check whether a bronze table was restored, dropped or read again from a damaged source. If the "
            "loss is intended, run again with `--accept fewer_rows`."
        )
