"""What an operator does with dead messages: count them, sample them, and replay them after a fix.

They are chosen by `--rule REASON`, by Kafka's time with `--window-start` and `--window-end`, and by `--offsets
PARTITION:FROM-TO`. A message whose time is none, which its reason says, is in no window. Lines show topic partitions,
offsets, reasons and sizes. The content, which may hold personal data, is only in the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.lake import session, settings, tables
from jobs.lake.delta import log, snapshot
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.sources.kafka import redrive
from jobs.sources.kafka.message import created
from jobs.sources.kafka.topic import StreamedTopic, of_table

SAMPLED = 5  # of each reason


def count(run: Run) -> None:
    """Prints how many of the chosen messages there are, by reason and hour of Kafka's time."""
    for topic, dead in _queues(run):
        hour = F.coalesce(F.date_format("timestamp", "yyyy-MM-dd HH:00"), F.lit("no time")).alias("hour")
        found = dead.groupBy("reason", hour).count().orderBy("reason", "hour").collect()
        print(f"{topic.dead.name}: {sum(row['count'] for row in found)} messages")
        for row in found:
            print(f"  {row['count']:>8}  {row['reason']:<26}  {row['hour']}")


def sample(run: Run) -> None:
    """Prints the newest few of the chosen messages of each reason: offset, time, size, what is wrong."""
    for topic, dead in _queues(run):  # it begins the session, without which there is no window
        newest = Window.partitionBy("reason").orderBy(F.desc("timestamp"), F.desc("partition"), F.desc("offset"))
        # Made a text by Spark: dead letters of release 0.1.0 have years that Python has no time for.
        when = F.coalesce(F.date_format("timestamp", "yyyy-MM-dd HH:mm:ss"), F.concat(F.lit("time "), created(dead)))
        shown = {"when": when, "bytes": F.length("value"), "rank": F.row_number().over(newest)}
        ranked = dead.withColumns(shown).select("partition", "offset", "reason", "detail", *shown)
        for row in ranked.filter(F.col("rank") <= SAMPLED).orderBy("reason", "rank").collect():
            size = "no value" if row["bytes"] is None else f"{row['bytes']} bytes"
            where = f"topic partition {row['partition']} of {topic.name} offset {row['offset']}"
            print(f"{where}  {row['when']}  {row['reason']}: {row['detail']}  {size}")


def replay(run: Run) -> None:
    """Judges the chosen messages again. Those that are valid now become events, once; the others stay.

    Messages beyond the stream's position, which a killed stream left, stay too: the stream reads them again. A running
    stream gives way, and later goes on by itself.

    Raises:
        ConfigurationError: no stream's table was named.
    """
    topic = topic_of(run)
    moved = redrive.replay(session.spark(run.step), run, topic, _chosen(run))
    beyond = "they are beyond the stream's position, and the stream reads them again when it starts"
    left = f"; {moved.left} left: {beyond}" if moved.left else ""
    print(f"{topic.dead.name}: {moved.chosen} messages judged again, {moved.valid} became events{left}")


def topic_of(run: Run) -> StreamedTopic:
    """The topic that the operation is about. The run names its events' table or its dead-letter queue.

    Raises:
        ConfigurationError: no stream's table was named.
    """
    named = [topic for topic in _topics() if run.subject in (topic.events.name, topic.dead.name)]
    if not named:
        known = ", ".join(topic.events.name for topic in _topics())
        raise ConfigurationError(f"no stream writes {run.subject or 'a table without a name'}; name one of {known}")
    return named[0]


def _topics() -> list[StreamedTopic]:
    return [of_table(table) for table in tables.every() if table.system == "kafka" and table.written_with is None]


def _queues(run: Run) -> Iterator[tuple[StreamedTopic, DataFrame]]:
    """The chosen messages of the named queue, or of all."""
    for topic in [topic_of(run)] if run.subject else _topics():
        uri = settings.lake().uri(topic.dead.name)
        if log.version(uri) is None:
            print(f"{topic.dead.name}: no table yet")
            continue
        yield topic, snapshot.read(session.spark(run.step), uri).filter(_chosen(run))


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
