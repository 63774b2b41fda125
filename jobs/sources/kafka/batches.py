"""Commits one micro-batch of messages: dead ones to the dead-letter queue, then events to their table.

The commit of the events completes the batch: it carries the position that was reached and all counts. A stream that
starts reads its position from there. It is the batch's end, not its last message: behind that may lie the marks and
aborted messages of transactions, which no reader sees and nobody has lost.

So a commit whose answer was lost is not made again. Delta's transaction identifiers would prevent that too, but they
read the table's whole state for each batch: 0.8 of 3.5 s in a table of ten files.

A killed stream can leave dead letters beyond that position. They are removed before the stream goes on. So a message
is in one of the two tables and never in both, even if the next release judges it differently.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from math import ceil
from operator import or_
from typing import Any

from delta.tables import DeltaTable
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import settings, table_module
from jobs.lake.delta import retention, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.errors import LakeError
from jobs.lake.ingest import LINEAGE
from jobs.lake.run import Run
from jobs.lake.state.leases import Lease
from jobs.sources.kafka import newest
from jobs.sources.kafka.message import CREATED, MESSAGE, REASON, STATISTICS, created, plausible
from jobs.sources.kafka.position import Position
from jobs.sources.kafka.topic import StreamedTopic

ROWS_PER_FILE = 100_000


@dataclass(frozen=True)
class CommittedBatch:
    """What became of a batch.

    Attributes:
        read: number of messages.
        dead: number of dead-lettered messages among them.
        seconds: from the batch's start to its commit.
        at: `time.monotonic()` of the commit.
    """

    read: int
    dead: int
    seconds: float
    at: float


class BatchWriter:
    """Commits the batches of one stream, one after another, while it holds the leases of both tables."""

    def __init__(
        self,
        spark: SparkSession,
        run: Run,
        topic: StreamedTopic,
        held: Mapping[str, Lease],
        position: Position,
        confirm: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts at a position.

        Args:
            spark: the session.
            run: run id and step for the commits.
            topic: whose messages they are.
            held: leases by table.
            position: where the messages begin.
            confirm: called when a batch's messages were read, before anything is written; raises if they are not of
                the position's topic.
        """
        self.position = position
        self._spark, self._run, self._topic, self._held, self._confirm = spark, run, topic, held, confirm
        lake = settings.lake()
        self._events, self._dead = lake.uri(topic.events.name), lake.uri(topic.dead.name)

    def commit(self, messages: DataFrame, ends: Mapping[int, int]) -> CommittedBatch | None:
        """Commits a batch; None when it is empty: it has no message and ends where it began.

        Cost grows with its messages. They are read from Kafka and judged once, and kept for the two writes.

        Args:
            messages: of the topic.
            ends: the offset of each topic partition at which the batch ends.

        Raises:
            LakeError: it holds messages that the table already has.
            OffsetsLostError: they are of a topic that was made anew.
        """
        begun = time.monotonic()
        judged = self._judged(messages).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            tally = judged.groupBy("partition", "_is.reason").agg(
                F.count("*").alias("rows"), F.min("offset").alias("first"), newest.column().alias("newest")
            ).collect()  # fmt: skip
            reached = self._reached(tally, ends)
            if reached == self.position:
                return None
            self._confirm()
            reasons: dict[str, int] = {}
            for row in tally:
                if row["reason"] is not None:
                    reasons[row["reason"]] = reasons.get(row["reason"], 0) + row["rows"]
            read, dead = sum(row["rows"] for row in tally), sum(reasons.values())
            total = sum(reached.offsets.values())
            batch_id = f"{self._topic.name}-{total:012d}"
            if dead:
                self._append_dead(judged, batch_id, reasons)
            offsets = total - sum(self.position.offsets.get(partition, 0) for partition in reached.offsets)
            record = CommitRecord.of(
                self._run,
                counts=Counts(read=read, written=read - dead, dead_lettered=dead),
                batch_id=batch_id if read else None,
                source=self._topic.events.source,
                # Offsets without a message belong to transactions; 0 if producers use none.
                facts={"offsets_without_message": offsets - read},
                reasons=reasons,
                batch_seconds=round(time.monotonic() - begun, 2),
                fencing=self._held[self._topic.events.name].fencing,
                **reached.fields(),
            )
            if read:
                self._append_events(judged, batch_id, read - dead, record)
            else:
                self._held[self._topic.events.name].renew()
                writes.commit_nothing(self._spark, self._events, record)
            self.position = reached
            return CommittedBatch(read, dead, time.monotonic() - begun, time.monotonic())
        finally:
            judged.unpersist()

    def _judged(self, messages: DataFrame) -> DataFrame:
        names = [field.name for field in MESSAGE if field.name != "timestamp"]
        message = messages.select(*names, "timestamp", "value", created(messages).alias(CREATED.name))
        # A time of another unit is no time: years such as 58870 break whoever reads the table.
        dated = message.withColumn("timestamp", F.when(plausible(), F.col("timestamp")))
        return dated.withColumn("_is", self._topic.judged(F.col("value"), F.col(CREATED.name)))

    def _reached(self, tally: list[Row], ends: Mapping[int, int]) -> Position:
        offsets, seen = self.position.offsets | dict(ends), dict(self.position.newest)
        for row in tally:
            partition, known = row["partition"], self.position.offsets.get(row["partition"], 0)
            if row["first"] < known:
                raise LakeError(
                    f"{self._topic.name}: Kafka gave offset {row['first']} of topic partition {partition} again, but "
                    f"{self._topic.events.name} already has it up to {known - 1}. Nothing was written. Start the "
                    "stream again."
                )
            last = (row["newest"][0], row["newest"][1], row["newest"][2])
            seen[partition] = max(seen.get(partition, last), last)
            offsets[partition] = max(offsets.get(partition, 0), last[0] + 1)
        return replace(self.position, offsets=offsets, newest=seen)

    def _append_dead(self, judged: DataFrame, batch_id: str, reasons: dict[str, int]) -> None:
        dead = judged.filter(F.col("_is.reason").isNotNull())
        reason = [F.col(f"_is.{field.name}").alias(field.name) for field in REASON]
        rows = dead.select(
            *[field.name for field in MESSAGE], "value", *reason, CREATED.name, *lineage(self._topic, batch_id)
        ).coalesce(1)
        number = sum(reasons.values())
        record = CommitRecord.of(
            self._run,
            counts=Counts(read=number, written=number),
            batch_id=batch_id,
            reasons=reasons,
            fencing=self._held[self._topic.dead.name].fencing,
        )
        self._held[self._topic.dead.name].renew()
        writes.append(rows, self._dead, record)

    def _append_events(self, judged: DataFrame, batch_id: str, rows: int, record: CommitRecord) -> None:
        good = judged.filter(F.col("_is.reason").isNull())
        event = [F.col(f"_is.{field.name}").alias(field.name) for field in self._topic.event]
        columns = {field.name for field in self._topic.event}
        rest = [name for name in self._topic.schema.names if name not in columns and name != "value"]
        text = F.col("value").cast("string").alias("value")
        frame = good.select(*event, text, *rest, *lineage(self._topic, batch_id))
        files = max(1, ceil(rows / ROWS_PER_FILE))
        self._held[self._topic.events.name].renew()
        writes.append(frame.coalesce(files), self._events, record)


def lineage(topic: StreamedTopic, batch_id: str) -> list[Column]:
    """The lineage columns, written so that Spark generates the same code for each batch.

    A time in an expression becomes part of that code: Spark would compile new code for each batch, and run it cold.
    A time that is looked up in a map does not: Spark passes it to the code like any other object.
    """
    now = F.element_at(F.create_map(F.lit(topic.name), F.current_timestamp()), F.col("topic"))
    return [
        F.lit(batch_id).alias("_batch_id"),
        F.lit(topic.events.source).alias("_source"),
        now.alias("_ingested_at"),
    ]


def create_tables(spark: SparkSession, topic: StreamedTopic, run: Run | None = None) -> None:
    """Creates the two tables that the topic's messages go to; tables that exist get the columns that they lack."""
    for table, own in ((topic.events, topic.schema), (topic.dead, topic.dead_schema)):
        schema, uri = StructType([*own, *LINEAGE]), settings.lake().uri(table.name)
        writes.create(
            spark, uri, schema, table.partition_column, table.description, STATISTICS, retention.STREAM,
            run=run, retired=table_module.retired(table),
        )  # fmt: skip


def remove_unfinished(
    spark: SparkSession, run: Run, topic: StreamedTopic, position: Position, held: Mapping[str, Lease]
) -> int:
    """Removes dead letters beyond the position: their batch's events were not committed. Returns their number."""
    uri, unfinished = settings.lake().uri(topic.dead.name), beyond(position)
    rows = snapshot.read(spark, uri).filter(unfinished).count()
    if rows:
        lease = held[topic.dead.name]
        lease.renew()
        record = CommitRecord.of(run, counts=Counts(read=0, deleted=rows), fencing=lease.fencing)
        with writes.recorded(spark, record):
            DeltaTable.forPath(spark, uri).delete(unfinished)
    return rows


def begin(
    spark: SparkSession, run: Run, topic: StreamedTopic, position: Position, held: Mapping[str, Lease], **facts: Any
) -> None:
    """Commits where a stream begins or goes on, before it has read a message there: a topic may stay empty for long.

    Args:
        spark: the session.
        run: that commits.
        topic: whose position it is.
        position: where the stream begins.
        held: leases by table.
        facts: further fields of the commit's record.
    """
    lease = held[topic.events.name]
    record = CommitRecord.of(run, counts=Counts(read=0), fencing=lease.fencing, **position.fields(), **facts)
    lease.renew()
    writes.commit_nothing(spark, settings.lake().uri(topic.events.name), record)


def beyond(position: Position) -> Column:
    """Whether a message is beyond the position, also in a topic partition that has none: the stream will read it."""
    offsets = position.offsets
    unread = [(F.col("partition") == number) & (F.col("offset") >= offset) for number, offset in offsets.items()]
    later = reduce(or_, [~F.col("partition").isin(list(offsets)), *unread])
    return (F.col("topic") == position.topic) & later if position.topic else later
