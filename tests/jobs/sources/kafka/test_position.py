"""Where a stream starts, and when it must not start: by the table's position, Kafka's bounds and the checkpoint."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jobs.lake import tables
from jobs.lake.errors import CheckpointLostError, OffsetsLostError
from jobs.lake.state import objects
from jobs.sources.kafka import position
from jobs.sources.kafka.broker import Bounds
from jobs.sources.kafka.position import Offsets
from tests.jobs.lakehouse import EVENTS, order_event, put

TABLE = tables.table(EVENTS)
WHOLE = {0: Bounds(0, 9), 1: Bounds(0, 4)}


ID = "zv3qj5ADQ6mraNNx9guQRA"


def read_to(topic: str | None = None, topic_id: str | None = None, **offsets: int) -> None:
    """The table's newest batch ends at these offsets. A record of release 0.1.0 names neither topic nor id."""
    reached = {name.removeprefix("p"): offset for name, offset in offsets.items()}
    named = {name: value for name, value in {"topic": topic, "topic_id": topic_id}.items() if value}
    put(EVENTS, [order_event(offset=number) for number in range(2)], position=reached, **named)


def start(bounds: dict[int, Bounds], topic: str = "orders", topic_id: str = ID) -> Offsets:
    found = position.start(TABLE, topic, topic_id, bounds)
    assert (found.topic, found.topic_id) == (topic, topic_id), "the next batch's commit names both"
    return found.offsets


def test_first_start_begins_with_what_kafka_has(lake: str) -> None:
    assert start({0: Bounds(5, 9), 1: Bounds(0, 0)}) == {0: 5, 1: 0}


def test_table_says_where_to_go_on_and_a_new_partition_begins_at_0(lake: str) -> None:
    read_to(p0=7)
    position.save_checkpoint(TABLE, {0: 3})

    assert start(WHOLE) == {0: 7, 1: 0}


def test_lost_checkpoint_stops(lake: str) -> None:
    read_to(p0=7)

    with pytest.raises(CheckpointLostError, match=r"watermark.json is gone.*accept_checkpoint bronze.orders_events"):
        start(WHOLE)


def test_lost_table_stops_until_the_checkpoint_is_deleted_on_purpose(lake: str) -> None:
    position.save_checkpoint(TABLE, {0: 7})

    with pytest.raises(CheckpointLostError, match="holds no message, but its checkpoint says that 7 offsets of orders"):
        start(WHOLE)

    objects.delete_prefix("_checkpoints/kafka/orders/")
    assert start(WHOLE) == {0: 0, 1: 0}


@pytest.mark.parametrize("saved", [{}, {0: 0, 1: 0}])
def test_checkpoint_of_a_stream_that_read_nothing_contradicts_nothing(lake: str, saved: Offsets) -> None:
    position.save_checkpoint(TABLE, saved)

    assert start(WHOLE) == {0: 0, 1: 0}


def test_beginning_of_an_empty_topic_is_where_it_goes_on(lake: str) -> None:
    put(EVENTS, [], position={"0": 5}, topic="orders", topic_id=ID)
    position.save_checkpoint(TABLE, {0: 5})

    assert start({0: Bounds(5, 5)}) == {0: 5}
    with pytest.raises(OffsetsLostError, match="offsets 5 to 5: 1 messages were deleted"):
        start({0: Bounds(6, 9)})


def test_deleted_offsets_stop_with_each_range(lake: str) -> None:
    read_to(p0=3)
    position.save_checkpoint(TABLE, {})

    with pytest.raises(
        OffsetsLostError, match=r"partition 0 offsets 3 to 4, topic partition 1 offsets 0 to 1: 4 messages"
    ):
        start({0: Bounds(5, 9), 1: Bounds(2, 4)})


def test_topic_that_is_shorter_than_what_was_read_stops(lake: str) -> None:
    read_to(p0=7, p1=1)
    position.save_checkpoint(TABLE, {})

    with pytest.raises(OffsetsLostError, match=r"partition 0 of orders ends at 2, .* the topic was deleted"):
        start({0: Bounds(0, 2), 1: Bounds(0, 4)})
    with pytest.raises(OffsetsLostError, match=r"partition 1 of orders ends at 0"):
        start({0: Bounds(0, 9)})


@pytest.mark.parametrize("end", [0, 2, 7, 9])
def test_topic_of_another_id_stops_however_long_it_is(lake: str, end: int) -> None:
    read_to("orders", "an-older-id", p0=7)
    position.save_checkpoint(TABLE, {})

    with pytest.raises(
        OffsetsLostError, match=rf"orders has the id {ID}, but what was read is of the id an-older-id: "
    ):
        start({0: Bounds(0, end)})


def test_topic_of_another_name_is_read_from_its_beginning(lake: str) -> None:
    read_to("orders", "an-older-id", p0=7, p1=7)
    position.save_checkpoint(TABLE, {})

    assert start({0: Bounds(2, 9)}, "orders-2") == {0: 2}


def test_topic_is_not_left_for_another_while_it_has_messages_that_were_not_read(lake: str) -> None:
    known = position.Position({0: 7, 1: 2}, "orders", ID)

    position.refuse_unread(TABLE, known, {0: Bounds(0, 7), 1: Bounds(0, 2)})
    position.refuse_unread(TABLE, known, {})  # Kafka has it no more
    with pytest.raises(
        OffsetsLostError, match=r"orders still has topic partition 0 offsets 7 to 8, .*accept_gap bronze"
    ):
        position.refuse_unread(TABLE, known, {0: Bounds(3, 9), 1: Bounds(0, 2)})


def test_position_comes_from_the_rows_when_the_log_has_forgotten_the_newest_batch(lake: str) -> None:
    put(EVENTS, [order_event(offset=4), order_event(offset=2), order_event(partition=1, offset=0)])

    assert position.of_table(TABLE) == position.Position({0: 5, 1: 1}, "orders")


def test_rows_of_the_topic_that_was_read_last_tell_the_position(lake: str) -> None:
    old, new = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)
    put(
        EVENTS,
        [
            order_event(offset=9, _ingested_at=old),
            order_event(topic="orders-2", offset=1, _ingested_at=new),
            order_event(partition=1, offset=7, _ingested_at=old),
        ],
    )

    assert position.of_table(TABLE) == position.Position({0: 2}, "orders-2")


def test_position_comes_back_from_the_commit_as_it_went_in(lake: str) -> None:
    known = position.Position({0: 7, 1: 0}, "orders", ID, {0: (6, 1_790_000_000_000, 99)})

    put(EVENTS, [], **known.fields())

    assert position.of_table(TABLE) == known
