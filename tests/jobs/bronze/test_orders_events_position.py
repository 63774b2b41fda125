"""Where the stream of order events goes on: what contradicts the table's position stops it, and is reported."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.lake import settings, tables
from jobs.lake.delta import log, writes
from jobs.lake.errors import CheckpointLostError, LakeError, OffsetsLostError
from jobs.lake.run import Run
from jobs.lake.state import objects, stream_control
from jobs.operations import stream as operations
from jobs.sources.kafka import batches, broker, position, stream
from jobs.sources.kafka.position import Position
from tests.jobs import lakehouse
from tests.jobs.topics import DEAD, EVENTS, Topic, event, rows, wait, write_desired_state


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
def test_topic_that_was_created_again_stops_the_stream_however_long_it_is(topic: Topic) -> None:
    topic.send([event("O1"), event("O2")])
    topic.read(2)
    topic.recreate()
    topic.send([event(f"N{number}") for number in range(5)])
    write_desired_state(stream_control.DesiredState())

    with pytest.raises(OffsetsLostError, match=r"has the id .*, but what was read is of .*: the topic was deleted"):
        topic.run()

    assert len(topic.places()) == 2


@pytest.mark.slow
def test_topic_that_is_created_again_while_it_is_read_stops_the_stream(topic: Topic) -> None:
    topic.send([event("O1"), event("O2")])

    def read_on() -> None:
        with topic.streaming():
            wait(lambda: len(topic.places()) == 2)
            topic.recreate()
            topic.send([event(f"N{number}") for number in range(5)])
            time.sleep(20)

    with pytest.raises(OffsetsLostError, match=r"the topic was deleted and created again"):
        read_on()

    assert len(topic.places()) == 2


@pytest.mark.slow
def test_log_that_was_truncated_and_has_grown_again_stops_the_stream(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.send([event("O1"), event("O2")])
    topic.read(2)
    topic.recreate()
    topic.send([event(f"N{number}") for number in range(5)])
    monkeypatch.setattr(broker, "topic_id", lambda *_: "")  # a truncated log is of the same topic
    write_desired_state(stream_control.DesiredState())

    with pytest.raises(OffsetsLostError, match=r"partition 0 of .* has another message at offset 1 than was read"):
        topic.run()


@pytest.mark.slow
def test_topic_of_another_name_is_read_from_its_beginning_once_the_old_one_was_read(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.send([event("O1"), event("O2")])
    topic.read(2)
    topic.send([event("O3")])
    old, topic.name = topic.name, f"{topic.name}-2"
    topic.create()
    topic.send([event("N1"), b"{"])
    write_desired_state(stream_control.DesiredState())

    with pytest.raises(OffsetsLostError, match=rf"{old} still has topic partition 0 offsets 2 to 2, .*accept_gap"):
        topic.run()

    monkeypatch.setattr(operations, "topic_of", lambda run: topic.source)
    operations.accept_gap(Run("by-hand", "stream.accept_gap", subject=EVENTS))
    record = lakehouse.record(EVENTS)
    assert (record["lost_offsets"], record["gap"], record["topic"]) == (1, {"0": [2, 3]}, old)
    topic.read(4)
    assert topic.places() == [(DEAD, 0, 1), (EVENTS, 0, 0), (EVENTS, 0, 0), (EVENTS, 0, 1)]
    assert {(row["topic"], row["offset"]) for row in rows(EVENTS, ("topic", "offset"))} == {
        (old, 0), (old, 1), (topic.name, 0),
    }  # fmt: skip


@pytest.mark.slow
def test_stream_that_found_its_topic_empty_starts_again(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    topic.read(0)
    known = position.of_table(topic.source.events)
    assert known
    assert (known.offsets, known.topic, len(known.topic_id)) == ({0: 0, 1: 0}, topic.name, 22)
    monkeypatch.setattr(operations, "topic_of", lambda run: topic.source)
    operations.accept_gap(Run("by-hand", "stream.accept_gap", subject=EVENTS))
    operations.accept_checkpoint(Run("by-hand", "stream.accept_checkpoint", subject=EVENTS))
    topic.send([event("O1")])

    topic.read(1, "stream-2")

    assert topic.places() == [(EVENTS, 0, 0)]


@pytest.mark.slow
def test_checkpoint_of_a_table_without_position_can_be_accepted(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    topic.send([event("O1"), event("O2")])
    position.save_checkpoint(topic.source.events, {0: 1, 1: 0})  # as release 0.1.0 left a stream that read nothing
    monkeypatch.setattr(operations, "topic_of", lambda run: topic.source)

    operations.accept_checkpoint(Run("by-hand", "stream.accept_checkpoint", subject=EVENTS))

    topic.read(1)
    assert topic.places() == [(EVENTS, 0, 1)]


@pytest.mark.slow
def test_marks_and_aborted_messages_of_transactions_are_read_over_and_never_lost(topic: Topic) -> None:
    topic.send_in_transaction([event("O1"), event("O2")])
    topic.send_in_transaction([event("A1"), event("A2")], abort=True)
    topic.send_in_transaction([event("A3")], abort=True, partition=1)
    with topic.streaming():
        wait(lambda: _position() == {0: 6, 1: 2})
    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 1)]
    topic.send_in_transaction([event("A4")], abort=True)
    with topic.streaming("stream-2"):
        wait(lambda: _position() == {0: 8, 1: 2})
    without = [c.record.facts for c in log.commits(settings.lake().uri(EVENTS)) if c.record and c.record.facts]
    assert sum(facts["offsets_without_message"] for facts in without) == 8
    topic.delete_before(partition=0, offset=8)  # nothing that anybody could have read
    topic.send([event("O3")])

    topic.read(3, "stream-3")

    assert topic.places() == [(EVENTS, 0, 0), (EVENTS, 0, 1), (EVENTS, 0, 8)]


def _position() -> dict[int, int]:
    known = position.of_table(tables.table(EVENTS))
    return known.offsets if known else {}


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_offsets_that_the_table_has_are_refused(topic: Topic, spark: SparkSession) -> None:
    topic.send([event("O1")])
    topic.read(1)
    held: Any = {}
    again = batches.BatchWriter(spark, Run("stream-2", EVENTS), topic.source, held, Position({0: 1, 1: 0}, topic.name))
    options = {"kafka.bootstrap.servers": topic.broker.addresses.kafka_plaintext, "subscribe": topic.name}
    messages = spark.read.format("kafka").options(**options, includeHeaders="true").load()

    with pytest.raises(LakeError, match="Kafka gave offset 0 of topic partition 0 again"):
        again.commit(messages, {0: 1, 1: 0})
