"""The contenders of `orders_stream`, one per process: `stream_peers.py NAME ROUNDS`, ROUNDS as JSON.

A contender does one round after another. A round is a topic to read to its end, and an empty lake. It reports the begin
and the end of each round by a printed line. `stream_figures` reads the results from the lake.
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
from jobs.lake import session, settings, tables
from jobs.lake.run import Run
from jobs.lake.state import objects, stream_control
from jobs.run import end
from jobs.sources.kafka import broker, stream, topic

TABLE = "bronze.orders_events"
RAW = ("key", "value", "topic", "partition", "offset", "timestamp")
SCHEMA = to_arrow_schema(orders_events.SCHEMA, timestamp_utc=True)
SECONDS = float(stream.TRIGGER.split()[0])
CONSUMED = 10_000  # most messages that one call takes from the client


@dataclass(frozen=True)
class Round:
    """A topic to read to its end.

    Attributes:
        bucket: the round's lake.
        messages: how many the topic holds.
    """

    name: str
    topic: str
    bucket: str
    messages: int

    def enter(self) -> None:
        """Makes the round's lake the lake of this process."""
        os.environ["SLUICE_LAKE_BUCKET"] = self.bucket

    def report(self, **facts: Any) -> None:
        """Prints facts for the process that started this one, with the CPU seconds used so far."""
        facts |= {f"cpu_{name}": cpu_seconds() for name in ("begun", "ended") if name in facts}
        print(json.dumps({"round": self.name, **facts}), flush=True)


def cpu_seconds() -> float:
    """CPU seconds used so far by the processes of this session: JVM, driver and Python workers."""
    used, session_id = 0.0, os.getsid(0)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session_id:
                times = process.cpu_times()
                used += times.user + times.system
    return used


@dataclass(eq=False)
class Watch(listener.StreamingQueryListener):
    """Reports the begin of a Spark query, and asks it to end when it has read the whole topic.

    Attributes:
        each: the round.
        finish: asks the query to end.
        batches: for each batch with messages, their number and Spark's milliseconds by phase.
    """

    each: Round
    finish: Callable[[], object]
    batches: list[dict[str, int]] = field(default_factory=list)

    def onQueryStarted(self, event: listener.QueryStartedEvent) -> None:
        self.each.report(begun=datetime.fromisoformat(event.timestamp).timestamp())

    def onQueryProgress(self, event: listener.QueryProgressEvent) -> None:
        source = event.progress.sources[0]
        if event.progress.numInputRows:
            self.batches.append({"rows": event.progress.numInputRows, **event.progress.durationMs})
        if sum(json.loads(source.endOffset)[self.each.topic].values()) >= self.each.messages:
            self.finish()

    def onQueryIdle(self, event: listener.QueryIdleEvent) -> None:
        """No message has come."""

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
        stream.run(spark, Run(each.name, TABLE), replace(topic.of_table(tables.table(TABLE)), name=each.topic))
        spark.streams.removeListener(watch)
        each.report(ended=time.time(), batches=watch.batches)


def plain(rounds: Sequence[Round], fetch: Mapping[str, str] | None = None) -> None:
    """Spark's Kafka source straight into Delta without any check, with the usual checkpoint on S3.

    Args:
        rounds: to run.
        fetch: options for the requests to the broker; None for the defaults.
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
        each.report(ended=time.time(), batches=watch.batches)


def writer(rounds: Sequence[Round]) -> None:
    """confluent-kafka, the contract and delta-rs, with as many commits as Spark would make."""
    for each in rounds:
        each.enter()
        each.report(begun=time.time())
        with broker.Login.from_secret().consumer() as consumer:
            for batch in _batches(consumer, each):
                rows, uri = table(batch), settings.lake().uri(TABLE)
                write_deltalake(uri, rows, mode="append", storage_options=settings.storage_options())
                consumer.commit(asynchronous=False)
        each.report(ended=time.time(), batches=[])


def limit(rounds: Sequence[Round]) -> None:
    """The least that a single process must do: consume, apply the contract, and write Parquet in memory."""
    for each in rounds:
        each.report(begun=time.time())
        with broker.Login.from_secret().consumer() as consumer:
            for batch in _batches(consumer, each):
                pq.write_table(table(batch), pa.BufferOutputStream())
        each.report(ended=time.time(), batches=[])


def _batches(consumer: Consumer, each: Round) -> Iterator[list[Message]]:
    """The topic's messages in batches. A batch is as large as Spark's, or ends when Spark would start the next."""
    consumer.assign([TopicPartition(each.topic, number, 0) for number in broker.bounds(consumer, each.topic)])
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
    """The messages as rows of bronze. A broken one ends the contender."""
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
    contenders: dict[str, Callable[[Sequence[Round]], None]] = {
        "ours": ours,
        "plain": plain,
        "tuned": tuned,
        "writer": writer,
        "limit": limit,
    }
    contenders[sys.argv[1]]([Round(**each) for each in json.loads(sys.argv[2])])
    end(0)
