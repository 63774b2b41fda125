"""What an operator does with dead messages: count, sample, and bring home after a fix.

Chosen by `--rule REASON`, by Kafka's time with `--window-start` and `--window-end`, by `--offsets PARTITION:FROM-TO`.
Lines show places, reasons and sizes; never a message's content, which may hold personal data and is in the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from operator import and_, or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.lake import session, settings, tables
from jobs.lake.delta import log, snapshot
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.lake.state import ledger
from jobs.sources.kafka import redrive
from jobs.sources.kafka.batches import Source

SAMPLED = 5  # of each reason


def count(run: Run) -> None:
    """Prints how many of the chosen messages there are, by reason and hour of Kafka's time."""
    for source, dead in _queues(run):
        hour = F.date_format("timestamp", "yyyy-MM-dd HH:00").alias("hour")
        found = dead.groupBy("reason", hour).count().orderBy("reason", "hour").collect()
        print(f"{source.dead.name}: {sum(row['count'] for row in found)} messages")
        for row in found:
            print(f"  {row['count']:>8}  {row['reason']:<18}  {row['hour']}")


def sample(run: Run) -> None:
    """Prints the newest few of the chosen messages of each reason: place, time, size, what is wrong."""
    newest = Window.partitionBy("reason").orderBy(F.desc("timestamp"), F.desc("partition"), F.desc("offset"))
    for source, dead in _queues(run):
        ranked = dead.withColumns({"bytes": F.length("value"), "rank": F.row_number().over(newest)}).drop("value")
        for row in ranked.filter(F.col("rank") <= SAMPLED).orderBy("reason", "rank").collect():
            size = "no value" if row["bytes"] is None else f"{row['bytes']} bytes"
            when = f"{row['timestamp']:%Y-%m-%d %H:%M:%S}"
            place = f"{source.topic} partition {row['partition']} offset {row['offset']}"
            print(f"{place}  {when}  {row['reason']}: {row['detail']}  {size}")


def replay(run: Run) -> None:
    """Judges the chosen messages again; those that are valid now become events, once. Others stay.

    A running stream gives way meanwhile, and goes on by itself.

    Raises:
        ConfigurationError: no stream's table was named.
    """
    source = source_of(run)
    moved = redrive.replay(session.spark(run.step), run, source, _chosen(run))
    for table in (source.events, source.dead):
        ledger.record_stream(table.name)
    print(f"{source.dead.name}: {moved.chosen} messages judged again, {moved.home} became events")


def source_of(run: Run) -> Source:
    """The stream that the operation is about, named by its events' table or its dead-letter queue.

    Raises:
        ConfigurationError: no stream's table was named.
    """
    named = [source for source in _sources() if run.subject in (source.events.name, source.dead.name)]
    if not named:
        known = ", ".join(source.events.name for source in _sources())
        raise ConfigurationError(f"no stream writes {run.subject or 'a table without a name'}; name one of {known}")
    return named[0]


def _sources() -> list[Source]:
    streams = [table for table in tables.every() if table.continuous and table.written_with is None]
    return [import_module(table.module).source() for table in streams]


def _queues(run: Run) -> Iterator[tuple[Source, DataFrame]]:
    """The chosen messages of the named queue, or of all."""
    for source in [source_of(run)] if run.subject else _sources():
        uri = settings.lake().uri(source.dead.name)
        if log.version(uri) is None:
            print(f"{source.dead.name}: no table yet")
            continue
        yield source, snapshot.read(session.spark(run.step), uri).filter(_chosen(run))


def _chosen(run: Run) -> Column:
    conditions = [F.lit(True)]
    if run.rule:
        conditions.append(F.col("reason") == run.rule)
    if run.window_start:
        conditions.append(F.col("timestamp") >= F.lit(run.window_start))
    if run.window_end:
        conditions.append(F.col("timestamp") < F.lit(run.window_end))
    if run.offsets:
        conditions.append(reduce(or_, [_within(text) for text in run.offsets]))
    return reduce(and_, conditions)


def _within(text: str) -> Column:
    """`2:100-200`, both ends included, or `2:100`."""
    try:
        partition, _, offsets = text.partition(":")
        first, _, last = offsets.partition("-")
        bounds = int(partition), int(first), int(last or first)
    except ValueError:
        raise ConfigurationError(f"--offsets {text} is not PARTITION:FROM-TO, such as 2:100-200") from None
    return (F.col("partition") == bounds[0]) & F.col("offset").between(bounds[1], bounds[2])
