"""Where a stream starts, and when it must not start: by the table's position, Kafka's bounds and the checkpoint."""

from __future__ import annotations

import pytest

from jobs.lake import tables
from jobs.lake.errors import CheckpointLostError, OffsetsLostError
from jobs.lake.state import objects
from jobs.sources.kafka import position
from jobs.sources.kafka.broker import Bounds
from tests.jobs.lakehouse import EVENTS, order_event, put

TABLE = tables.table(EVENTS)
WHOLE = {0: Bounds(0, 9), 1: Bounds(0, 4)}


def read_to(**offsets: int) -> None:
    """The table's newest batch ends at these offsets."""
    reached = {name.removeprefix("p"): offset for name, offset in offsets.items()}
    put(EVENTS, [order_event(offset=number) for number in range(2)], position=reached)


def test_first_start_begins_with_what_kafka_has(lake: str) -> None:
    assert position.start(TABLE, "orders", {0: Bounds(5, 9), 1: Bounds(0, 0)}) == {0: 5, 1: 0}


def test_table_says_where_to_go_on_and_a_new_partition_begins_at_0(lake: str) -> None:
    read_to(p0=7)
    position.save_checkpoint(TABLE, {0: 3})

    assert position.start(TABLE, "orders", WHOLE) == {0: 7, 1: 0}


def test_lost_checkpoint_stops(lake: str) -> None:
    read_to(p0=7)

    with pytest.raises(CheckpointLostError, match=r"watermark.json is gone.*accept_checkpoint bronze.orders_events"):
        position.start(TABLE, "orders", WHOLE)


def test_lost_table_stops_until_the_checkpoint_is_deleted_on_purpose(lake: str) -> None:
    position.save_checkpoint(TABLE, {0: 7})

    with pytest.raises(CheckpointLostError, match="holds no message, but its checkpoint says that 7 offsets of orders"):
        position.start(TABLE, "orders", WHOLE)

    objects.delete_prefix("_checkpoints/kafka/orders/")
    assert position.start(TABLE, "orders", WHOLE) == {0: 0, 1: 0}


def test_deleted_offsets_stop_with_each_range(lake: str) -> None:
    read_to(p0=3)
    position.save_checkpoint(TABLE, {})

    with pytest.raises(
        OffsetsLostError, match=r"partition 0 offsets 3 to 4, topic partition 1 offsets 0 to 1: 4 messages"
    ):
        position.start(TABLE, "orders", {0: Bounds(5, 9), 1: Bounds(2, 4)})


def test_topic_that_was_created_again_stops(lake: str) -> None:
    read_to(p0=7, p1=1)
    position.save_checkpoint(TABLE, {})

    with pytest.raises(OffsetsLostError, match=r"partition 0 of orders ends at 2, .* the topic was deleted"):
        position.start(TABLE, "orders", {0: Bounds(0, 2), 1: Bounds(0, 4)})
    with pytest.raises(OffsetsLostError, match=r"partition 1 of orders ends at 0"):
        position.start(TABLE, "orders", {0: Bounds(0, 9)})


def test_position_comes_from_the_rows_when_the_log_has_forgotten_the_newest_batch(lake: str) -> None:
    put(EVENTS, [order_event(offset=4), order_event(offset=2), order_event(partition=1, offset=0)])

    assert position.of_table(TABLE) == {0: 5, 1: 1}
