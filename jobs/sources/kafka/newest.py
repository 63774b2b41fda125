"""Knows a topic partition's log again by the newest message that was read of it.

Offsets alone don't: a log that was truncated, or a topic that was made anew, is shorter only until new messages have
come. Then its messages up to the position would count as read. But at the newest read offset it has another message.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.sources.kafka import plain
from jobs.sources.kafka.broker import Bounds, Login
from jobs.sources.kafka.message import CREATED, plausible
from jobs.sources.kafka.plain import Record
from jobs.sources.kafka.position import Position, Seen, made_anew
from jobs.sources.kafka.record_time import EARLIEST, LATEST

_NO_VALUE = _NO_TIME = -1


def column() -> Column:
    """The newest of some messages, as `Seen` has it."""
    # Spark gives times before 1582 in another calendar; one that is no time is not compared.
    moment = F.when(plausible(), F.col(CREATED.name)).otherwise(_NO_TIME)
    return F.max(F.struct("offset", moment, F.coalesce(F.crc32("value"), F.lit(_NO_VALUE))))


def confirm(login: Login, known: Position, bounds: Mapping[int, Bounds]) -> None:
    """Compares the newest messages that were read with what Kafka has at their offsets now.

    A message that Kafka no longer has, deleted or compacted, says nothing. Costs one fetch of each topic partition.

    Raises:
        OffsetsLostError: Kafka has another message at one of the offsets.
        TransientError: a broker doesn't answer.
    """
    asked = {n: seen[0] for n, seen in known.newest.items() if n in bounds and bounds[n].first <= seen[0]}
    asked = {number: offset for number, offset in asked.items() if offset < bounds[number].end}
    if not asked:
        return
    with login.consumer(**plain.OPTIONS) as consumer:
        found, _ = plain.read(consumer, known.topic, asked, {number: offset + 1 for number, offset in asked.items()})
    for record in found:
        if seen(record) != known.newest[record.partition]:
            raise made_anew(
                f"topic partition {record.partition} of {known.topic} has another message at offset {record.offset} "
                "than was read"
            )


def seen(record: Record) -> Seen:
    """What is remembered of a message."""
    moment = record.created if EARLIEST <= record.created < LATEST else _NO_TIME
    return record.offset, moment, _NO_VALUE if record.value is None else crc32(record.value)
