"""The contenders of `orders_stream`, each alone in a process: `stream_peers.py NAME ROUNDS`, ROUNDS as JSON.

Each reads topics to their end, one round after another, a round being a topic and an empty lake. For each round it
prints a line as it begins and one as it ends; what came of it, others read from the lake.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, Message, TopicPartition
from deltalake import write_deltalake
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.streaming import listener

from jobs.bronze import orders_events
from jobs.bronze.orders_events import contract
from jobs.lake import session, settings
from jobs.lake.run import Run
from jobs.lake.state import objects, stream_control
from jobs.run import end
from jobs.sources.kafka import broker, stream

TABLE = "bronze.orders_events"
RAW = ("key", "value", "topic", "partition", "offset", "timestamp")
SCHEMA = to_arrow_schema(orders_events.SCHEMA, timestamp_utc=True)
SECONDS = float(stream.TRIGGER.split()[0])
CONSUMED = 10_000  # messages taken from the client at once


@dataclass(frozen=True)
class Round:
    """A topic to read to its end.

    Attributes:
        name: of the round.
        topic: that is read.
        bucket: the round's lake.
        messages: after which the topic is at its end.
    """

    name: str
    topic: str
    bucket: str
    messages: int

    def enter(self) -> None:
        """Makes the round's lake that of this process."""
        os.environ["SLUICE_LAKE_BUCKET"] = self.bucket

    def tell(self, **facts: Any) -> None:
        """Tells whoever started this process, with the CPU seconds used at that moment."""
        facts |= {f"cpu_{name}": cpu_seconds() for name in ("begun", "ended") if name in facts}
        print(json.dumps({"round": self.name, **facts}), flush=True)


def cpu_seconds() -> float:
    """What this contender's processes have used so far: JVM, driver, Python workers; all of one session."""
    used, session_id = 0.0, os.getsid(0)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session_id:
                times = process.cpu_times()
                used += times.user + times.system
    return used


@dataclass(eq=False)
class Watch(listener.StreamingQueryListener):
    """Sees a query begin, and finishes it when it has read all: by Spark's own word, for ours and for the plain one.

    Attributes:
        each: the round.
        finish: asks the query to end.
        batches: what Spark says of each batch with messages: how many, and milliseconds by phase.
    """

    each: Round
    finish: Callable[[], object]
    batches: list[dict[str, int]] = field(default_factory=list)

    def onQueryStarted(self, event: listener.QueryStartedEvent) -> None:
        self.each.tell(begun=datetime.fromisoformat(event.timestamp).timestamp())

    def onQueryProgress(self, event: listener.QueryProgressEvent) -> None:
        source = event.progress.sources[0]
        if event.progress.numInputRows:
            self.batches.append({"rows": event.progress.numInputRows, **event.progress.durationMs})
        if sum(json.loads(source.endOffset)[self.each.topic].values()) >= self.each.messages:
            self.finish()

    def onQueryIdle(self, event: listener.QueryIdleEvent) -> None:
        """Nothing came."""

    def onQueryTerminated(self, event: listener.QueryTerminatedEvent) -> None:
        """The round ends."""


def ours(rounds: Sequence[Round]) -> None:
    """The job itself: `stream.run`, until its desired state is `stopped`."""
    spark = session.spark(TABLE)
    stopped = vars(stream_control.DesiredState(wanted=stream_control.STOPPED))
    for each in rounds:
        each.enter()
        watch = Watch(each, lambda: objects.write_json(stream_control.desired_state_key(TABLE), stopped))
        spark.streams.addListener(watch)
        stream.run(spark, Run(each.name, TABLE), replace(orders_events.source(), topic=each.topic))
        spark.streams.removeListener(watch)
        each.tell(ended=time.time(), batches=watch.batches)


def plain(rounds: Sequence[Round], fetch: Mapping[str, str] | None = None) -> None:
    """Spark's Kafka source straight into Delta, nothing looked at; its checkpoint on S3, as people have it.

    Args:
        rounds: to run.
        fetch: options by which it asks the broker; None for those that it has of itself.
    """
    spark = session.spark("plain")
    for each in rounds:
        each.enter()
        read = threading.Event()
        watch = Watch(each, read.set)
        spark.streams.addListener(watch)
        messages = (
            spark.readStream.format("kafka")
            .options(**broker.Login.from_secret().spark_options(), **(fetch or {}))
            .option("subscribe", each.topic)
            .option("startingOffsets", "earliest")
            .option("maxOffsetsPerTrigger", stream.MESSAGES_PER_BATCH)
            .load()
        )
        writer = messages.select(*RAW).writeStream.format("delta").trigger(processingTime=stream.TRIGGER)
        query = writer.option("checkpointLocation", f"{settings.lake().root}/checkpoint").start(
            settings.lake().uri(TABLE)
        )
        while not read.wait(0.2):
            if not query.isActive:
                raise RuntimeError(f"the plain stream has ended: {query.exception()}")
        query.stop()
        spark.streams.removeListener(watch)
        each.tell(ended=time.time(), batches=watch.batches)


def writer(rounds: Sequence[Round]) -> None:
    """confluent-kafka, the contract, and delta-rs: a commit whenever Spark would make one."""
    for each in rounds:
        each.enter()
        each.tell(begun=time.time())
        with broker.Login.from_secret().consumer() as consumer:
            for batch in _batches(consumer, each):
                rows, uri = table(batch), settings.lake().uri(TABLE)
                write_deltalake(uri, rows, mode="append", storage_options=settings.storage_options())
                consumer.commit(asynchronous=False)
        each.tell(ended=time.time(), batches=[])


def limit(rounds: Sequence[Round]) -> None:
    """What no single process can do without: consuming, the contract, and Parquet in memory."""
    for each in rounds:
        each.tell(begun=time.time())
        with broker.Login.from_secret().consumer() as consumer:
            for batch in _batches(consumer, each):
                pq.write_table(table(batch), pa.BufferOutputStream())
        each.tell(ended=time.time(), batches=[])


def _batches(consumer: Consumer, each: Round) -> Iterator[list[Message]]:
    """The topic's messages: as many at once as Spark takes, or those of the seconds between Spark's batches."""
    places = [TopicPartition(each.topic, number, 0) for number in broker.bounds(consumer, each.topic)]
    consumer.assign(places)
    left = each.messages
    while left:
        batch: list[Message] = []
        full, due = min(left, stream.MESSAGES_PER_BATCH), time.monotonic() + SECONDS
        while len(batch) < full and (wait := due - time.monotonic()) > 0:
            batch += consumer.consume(min(CONSUMED, full - len(batch)), timeout=min(wait, 0.1))
        left -= len(batch)
        if batch:
            yield batch


def table(messages: Sequence[Message]) -> pa.Table:
    """The messages as rows of bronze; one that is no event ends the contender."""
    values = [message.value() for message in messages]
    moments = [message.timestamp()[1] * 1000 for message in messages]  # microseconds
    events = map(contract.read, values, moments)
    columns: dict[str, Sequence[Any]] = dict(zip(SCHEMA.names, zip(*events, strict=True), strict=False))
    columns |= {
        "value": values,
        "topic": [message.topic() for message in messages],
        "partition": [message.partition() for message in messages],
        "offset": [message.offset() for message in messages],
        "key": [message.key() for message in messages],
        "headers": [message.headers() for message in messages],
        "timestamp": moments,
    }
    return pa.table(columns, SCHEMA)


if __name__ == "__main__":
    tuned = partial(plain, fetch=stream.FETCH)
    contenders = {"ours": ours, "plain": plain, "tuned": tuned, "writer": writer, "limit": limit}
    contenders[sys.argv[1]]([Round(**each) for each in json.loads(sys.argv[2])])
    end(0)
