"""Batches, kills, restarts and replays in any order: each message is in one of the two tables, once."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, StructType

from jobs.lake import tables
from jobs.lake.run import Run
from jobs.lake.schema import column
from jobs.lake.state import leases
from jobs.sources.kafka import batches, position, redrive
from jobs.sources.kafka.message import MESSAGE
from jobs.sources.kafka.topic import of_table
from tests.jobs.lakehouse import killed_at
from tests.jobs.topics import DEAD, EVENTS, event, refusing, rows

LENIENT = of_table(tables.table(EVENTS))
STRICT = replace(LENIENT, judged=refusing(LENIENT.judged, "JPY"))  # a release that did not know the yen
VALUES = {"good": event(), "yen": event(currency="JPY"), "broken": b"{"}
SCHEMA = StructType([*MESSAGE, column("value", BinaryType(), "its bytes")])
PARTITIONS, MESSAGES = 2, 12
MOMENT = datetime(2026, 10, 1, 9, tzinfo=UTC)


class Topic:
    """A topic's messages without a broker, and the tables that they go to."""

    def __init__(self, spark: SparkSession, seed: int) -> None:
        self._spark, self._random = spark, random.Random(seed)
        self.kinds = {
            (partition, offset): self._random.choice(list(VALUES))
            for partition in range(PARTITIONS)
            for offset in range(MESSAGES)
        }
        batches.create_tables(spark, LENIENT)

    def session(self, *, release: Any, number: int, killed: bool) -> None:
        """A stream starts, and reads so many messages of each topic partition; it may be killed between its commits."""
        run = Run("stream", EVENTS)
        with leases.hold(run, EVENTS, DEAD) as held:
            known = position.of_table(LENIENT.events) or position.Position()
            reached = {partition: known.offsets.get(partition, 0) for partition in range(PARTITIONS)}
            begin = position.Position(reached, "orders")
            redrive.finish(self._spark, run, LENIENT.events, LENIENT.dead, held)
            batches.remove_unfinished(self._spark, run, LENIENT, begin, held)
            messages = [
                ("orders", *place, bytearray(b"k"), [], MOMENT, bytearray(VALUES[kind]))
                for place, kind in self.kinds.items()
                if reached[place[0]] <= place[1] < reached[place[0]] + number
            ]
            if messages:
                writer = batches.BatchWriter(self._spark, run, release, held, begin)
                with killed_at(batches.BatchWriter, "_append_events") if killed else nullcontext():
                    writer.commit(self._spark.createDataFrame(messages, SCHEMA), {})

    def replay(self, release: Any, partition: int) -> redrive.Moved:
        return redrive.replay(self._spark, Run("by-hand", "dlq.replay"), release, F.col("partition") == partition)

    def places(self) -> Counter[tuple[int, int]]:
        return Counter((row["partition"], row["offset"]) for table in (EVENTS, DEAD) for row in rows(table))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2))
def test_every_message_is_in_one_table_once(spark: SparkSession, lake: str, seed: int) -> None:
    topic, chance, left = Topic(spark, seed), random.Random(f"steps {seed}"), 0
    for _ in range(3):
        topic.session(release=STRICT, number=chance.randint(1, 4), killed=False)
        topic.session(release=STRICT, number=chance.randint(2, 4), killed=True)
        for partition in chance.sample(range(PARTITIONS), chance.randint(1, PARTITIONS)):
            left += topic.replay(LENIENT, partition).left
        assert max(topic.places().values()) == 1, "doubled"
    assert left, "no kill left a dead letter beyond the position"

    topic.session(release=LENIENT, number=MESSAGES, killed=False)
    for partition in range(PARTITIONS):
        assert topic.replay(LENIENT, partition).left == 0

    assert topic.places() == Counter(topic.kinds.keys())
    dead = {(row["partition"], row["offset"]) for row in rows(DEAD)}
    assert dead == {place for place, kind in topic.kinds.items() if kind == "broken"}
