"""Where the stream of order events goes on: what contradicts the table's position stops it, and is reported."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.lake import settings
from jobs.lake.delta import writes
from jobs.lake.errors import CheckpointLostError, LakeError, OffsetsLostError
from jobs.lake.run import Run
from jobs.lake.state import objects, stream_control
from jobs.operations import stream as operations
from jobs.sources.kafka import batches, stream
from tests.jobs import lakehouse
from tests.jobs.topics import DEAD, EVENTS, Topic, event, wait, write_desired_state


@pytest.mark.slow
def test_lost_checkpoint_stops_the_stream_and_once_accepted_nothing_is_doubled(topic: Topic) -> None:
    topic.send([event("O1")])
    topic.read(1)
    topic.send([event("O2")])
    objects.delete_prefix("_checkpoints/kafka/orders/")
    write_desired_state(stream_control.DesiredState())

    with pytest.raises(CheckpointLostError, match=r"watermark.json is gone.*accept_checkpoint"):
        topic.run()

    operations.accept_checkpoint(Run("by-hand", "stream.accept_checkpoint", subject=EVENTS))
    topic.read(2)
    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 1)]


@pytest.mark.slow
def test_lost_table_stops_the_stream(topic: Topic) -> None:
    topic.send([event("O1")])
    topic.read(1)
    for table in (EVENTS, DEAD):
        objects.delete_prefix(table.replace(".", "/") + "/")
    write_desired_state(stream_control.DesiredState())

    with pytest.raises(CheckpointLostError, match=r"holds no message, but its checkpoint says that 1 offsets"):
        topic.run()


@pytest.mark.slow
def test_deleted_offsets_stop_the_stream_until_the_gap_is_accepted_and_recorded(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.send([event("O1")])
    topic.read(1)
    topic.send([event("O2"), event("O3"), event("O4")])
    topic.delete_before(partition=0, offset=3)
    write_desired_state(stream_control.DesiredState())

    with pytest.raises(OffsetsLostError, match=r"partition 0 offsets 1 to 2: 2 messages were deleted.*accept_gap"):
        topic.run()

    monkeypatch.setattr(operations, "topic_of", lambda run: topic.source)
    accepted = Run("by-hand", "stream.accept_gap", subject=EVENTS)
    operations.accept_gap(accepted)
    record = lakehouse.record(EVENTS)
    assert (record["lost_offsets"], record["gap"], record["read"]) == (2, {"0": [1, 3]}, 0)
    operations.accept_gap(accepted)
    assert lakehouse.record(EVENTS) == record, "accepting it a second time changes nothing"
    topic.read(2)
    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 3)]


@pytest.mark.slow
def test_topic_that_was_created_again_stops_the_stream(topic: Topic) -> None:
    topic.send([event("O1"), event("O2")])
    topic.read(2)
    topic.recreate()
    topic.send([event("O3")])
    write_desired_state(stream_control.DesiredState())

    with pytest.raises(OffsetsLostError, match=r"partition 0 of .* ends at 1, but .* up to 2: the topic was deleted"):
        topic.run()


@pytest.mark.slow
def test_stream_goes_on_where_a_restored_table_ends(topic: Topic, spark: SparkSession) -> None:
    topic.send([event("O1")])
    topic.read(1)
    before = lakehouse.version(EVENTS)
    topic.send([event("O2"), b"{"])
    topic.read(3)
    spark.sql(f"RESTORE delta.`{settings.lake().uri(EVENTS)}` TO VERSION AS OF {before}")
    assert topic.places() == [(DEAD, 0, 2), (EVENTS, 0, 0)]

    topic.read(3)

    assert topic.places() == [(DEAD, 0, 2), (EVENTS, 0, 0), (EVENTS, 0, 1)]


def test_commit_whose_answer_was_lost_is_not_made_again(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    real, lost = writes.append, []

    def append(frame: DataFrame, uri: str, metadata: str) -> None:
        real(frame, uri, metadata)
        if not lost:
            lost.append(uri)
            raise OSError("no answer")

    monkeypatch.setattr(writes, "append", append)
    monkeypatch.setattr(stream, "GIVE_UP", timedelta(minutes=1))
    topic.send([event("O1"), event("O2")])
    with topic.streaming():
        wait(lambda: bool(lost))
        topic.send([event("O3")])
        wait(lambda: len(topic.places()) >= 3)

    assert lost == [settings.lake().uri(EVENTS)]
    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 1), (EVENTS, 0, 2)]


def test_offsets_that_the_table_has_are_refused(topic: Topic, spark: SparkSession) -> None:
    topic.send([event("O1")])
    topic.read(1)
    held: Any = {}
    again = batches.BatchWriter(spark, Run("stream-2", EVENTS), topic.source, held, {0: 1, 1: 0})
    options = {"kafka.bootstrap.servers": topic.broker.addresses.kafka_plaintext, "subscribe": topic.name}
    messages = spark.read.format("kafka").options(**options, includeHeaders="true").load()

    with pytest.raises(LakeError, match="Kafka gave offset 0 of topic partition 0 again"):
        again.commit(messages)
