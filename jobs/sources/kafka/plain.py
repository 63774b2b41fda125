"""Reads messages by a plain client: what Spark's own source can't read, or would be too slow to start for.

Spark's source makes microseconds of each message's time before anyone sees the row, and fails where 64 bits can't hold
them. One such message fails every batch that it is in. The plain client takes any time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
from pyspark.sql import DataFrame, SparkSession

from jobs.lake.errors import TransientError
from jobs.sources.kafka.broker import SECONDS
from jobs.sources.kafka.message import CREATED
from jobs.sources.kafka.record_time import EARLIEST, LATEST, SPARK_HOLDS

MESSAGES, BYTES = 10_000, 64 << 20  # at once, in the driver's memory
# A consumer that says when a topic partition has no more, and never begins elsewhere than it was told.
OPTIONS: dict[str, bool | str] = {"enable.partition.eof": True, "auto.offset.reset": "error"}
_AT_ONCE = 1000
_HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
_SCHEMA = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("key", pa.binary()),
        ("headers", _HEADERS),
        ("timestamp", pa.timestamp("us", "UTC")),
        ("value", pa.binary()),
        (CREATED.name, pa.int64()),
    ]
)


class Record(NamedTuple):
    """A message. `created` is Kafka's time as it came: milliseconds since 1970, unless its producer erred."""

    partition: int
    offset: int
    key: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    value: bytes | None
    created: int


def read(
    consumer: Consumer, topic: str, begin: Mapping[int, int], ends: Mapping[int, int]
) -> tuple[list[Record], dict[int, int]]:
    """Messages from `begin` to before `ends`, as many as memory allows, and the offsets that were reached.

    Args:
        consumer: with `OPTIONS`.
        topic: its name.
        begin: first offset of each topic partition.
        ends: the offset of each at which to stop. Offsets without a message are passed over.

    Raises:
        TransientError: a broker doesn't answer, or no longer has the offset.
    """
    reached, found, size = dict(begin), list[Record](), 0
    left = {number for number, offset in begin.items() if offset < ends[number]}
    consumer.assign([TopicPartition(topic, number, begin[number]) for number in sorted(left)])
    give_up = time.monotonic() + SECONDS
    while left and len(found) < MESSAGES and size < BYTES:
        came = consumer.consume(min(_AT_ONCE, MESSAGES - len(found)), timeout=1.0)
        if not came and time.monotonic() > give_up:
            raise TransientError(f"kafka: no messages of {topic} come from topic partitions {sorted(left)}")
        give_up = time.monotonic() + SECONDS if came else give_up
        for message in came:
            record, at_end = _record(message, topic)
            if record.partition not in left:
                continue
            if not at_end and record.offset < ends[record.partition]:
                found.append(record)
                size += len(record.value or b"")
                reached[record.partition] = record.offset + 1
            else:
                reached[record.partition] = min(record.offset, ends[record.partition])
            if at_end or reached[record.partition] >= ends[record.partition]:
                left.remove(record.partition)
    consumer.unassign()
    return found, reached


def until_past(read: Callable[[], Sequence[Record]]) -> None:
    """Reads on until what Spark's source fails over lies behind: until no message is left, or none of a chunk is such.

    A batch of Spark's is larger than a chunk, so that chunks without such a message may come before the first one.

    Args:
        read: reads the next chunk of messages; empty at the end.
    """
    met = False
    while records := read():
        bad = any(record.created not in SPARK_HOLDS for record in records)
        if met and not bad:
            return
        met = met or bad


def frame(spark: SparkSession, topic: str, records: Sequence[Record]) -> DataFrame:
    """Messages as Spark's source gives them, with their time as it came; `timestamp` is null if it can't be one."""
    return spark.createDataFrame(pa.Table.from_pylist([_row(topic, record) for record in records], _SCHEMA))


def _record(message: Message, topic: str) -> tuple[Record, bool]:
    """What a client says, and whether it says that the topic partition has no more."""
    said: Any = message  # the client's stubs make everything optional
    error = said.error()
    at_end = error is not None and error.code() == KafkaError._PARTITION_EOF
    if error and not at_end:
        raise TransientError(f"kafka: topic partition {said.partition()} of {topic} can't be read ({error.str()})")
    headers = () if at_end else said.headers() or ()
    created = -1 if at_end else said.timestamp()[1]
    value = None if at_end else said.value()  # of an end, it is the error's text
    return Record(said.partition(), said.offset(), said.key(), headers, value, created), at_end


def _row(topic: str, record: Record) -> dict[str, object]:
    dated = EARLIEST <= record.created < LATEST
    return {
        "topic": topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "headers": [{"key": key, "value": value} for key, value in record.headers] or None,
        "timestamp": record.created * 1000 if dated else None,
        "value": record.value,
        CREATED.name: record.created,
    }
