"""Replays dead messages after a fix: they are judged again, and those that are valid now move to the events' table.

Messages move in two commits, first into their table, then out of the queue. A note is written before the first
commit. After a kill between the two, the next job that holds both tables finds the note and finishes the move, so that
no message is doubled. Messages keep topic, partition and offset, so that a second replay finds nothing left to do.

A killed stream can leave dead letters beyond its position. They are not judged: the stream removes them when it
starts, and reads their messages again. Those that a replay had moved would be events twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delta.tables import DeltaTable
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.lake import settings
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import leases, ledger, objects
from jobs.lake.state.leases import Lease
from jobs.sources.kafka import position
from jobs.sources.kafka.batches import beyond, lineage
from jobs.sources.kafka.message import MESSAGE, created
from jobs.sources.kafka.position import Position
from jobs.sources.kafka.topic import StreamedTopic


@dataclass(frozen=True)
class Moved:
    """The outcome of a replay.

    Attributes:
        chosen: number of dead messages that were judged again.
        valid: number of messages among them that are events now.
        left: number of further messages that were asked for and are beyond the stream's position.
    """

    chosen: int
    valid: int
    left: int = 0


def replay(spark: SparkSession, run: Run, topic: StreamedTopic, chosen: Column) -> Moved:
    """Judges the chosen messages of the dead-letter queue by the rules as they are now; moves the valid ones.

    Messages beyond the position of the events' newest batch are left alone: the stream will read them again.

    Cost grows with the chosen messages and the files of the queue that hold them.

    Raises:
        TableBusyError: the stream did not give way within the patience.
    """
    with leases.hold(run, topic.events.name, topic.dead.name) as held:
        finish(spark, run, topic.events, topic.dead, held)
        queue = settings.lake().uri(topic.dead.name)
        version = log.version(queue)
        if version is None:
            return Moved(0, 0)
        unread = beyond(position.of_table(topic.events) or Position())
        asked_for = snapshot.read(spark, queue, version).filter(chosen)
        dead = asked_for.filter(~unread)
        judged = dead.withColumn("_is", topic.judged(F.col("value"), created(dead)))
        judged = judged.persist(StorageLevel.MEMORY_AND_DISK)
        valid = judged.filter(F.col("_is.reason").isNull())
        moved = Moved(judged.count(), valid.count(), asked_for.filter(unread).count())
        if moved.valid:
            batch_id = f"{topic.name}-replay-{version:012d}"
            counts = Counts(read=moved.chosen, written=moved.valid, dead_lettered=moved.chosen - moved.valid)
            record = CommitRecord.of(
                run,
                inputs={topic.dead.name: version},
                counts=counts,
                batch_id=batch_id,
                source=topic.events.source,
                fencing=held[topic.events.name].fencing,
            )
            objects.write_json(_key(topic.events), {"batch_id": batch_id, "run_id": run.run_id})
            held[topic.events.name].renew()
            writes.append(_events(valid, topic, batch_id), settings.lake().uri(topic.events.name), record)
            finish(spark, run, topic.events, topic.dead, held)
        judged.unpersist()
        for table in (topic.events, topic.dead):  # while the stream waits: it would record the same commits
            ledger.record_stream(table.name)
    return moved


def finish(spark: SparkSession, run: Run, events: Table, dead: Table, held: Mapping[str, Lease]) -> None:
    """Finishes a replay that was begun: removes the messages that it moved from the queue. Else it does nothing."""
    begun: dict[str, Any] | None = objects.read_json(_key(events))
    if begun is None:
        return
    replayed = snapshot.read(spark, settings.lake().uri(events.name)).filter(F.col("_batch_id") == begun["batch_id"])
    moved = replayed.select("topic", "partition", "offset").persist()
    if number := moved.count():
        same = " AND ".join(f"t.`{name}` = s.`{name}`" for name in ("topic", "partition", "offset"))
        lease = held[dead.name]
        counts = Counts(read=0, deleted=number)
        record = CommitRecord.of(run, counts=counts, replayed=(begun["batch_id"],), fencing=lease.fencing)
        lease.renew()
        with writes.recorded(spark, record):
            queue = DeltaTable.forPath(spark, settings.lake().uri(dead.name)).alias("t")
            queue.merge(moved.alias("s"), same).whenMatchedDelete().execute()
    moved.unpersist()
    objects.delete(_key(events))


def _events(valid: DataFrame, topic: StreamedTopic, batch_id: str) -> DataFrame:
    event = [F.col(f"_is.{field.name}").alias(field.name) for field in topic.event]
    return valid.select(
        *event,
        F.col("value").cast("string").alias("value"),
        *[field.name for field in MESSAGE],
        *lineage(topic, batch_id),
    )


def _key(events: Table) -> str:
    return f"_control/{events.name}.replay.json"
