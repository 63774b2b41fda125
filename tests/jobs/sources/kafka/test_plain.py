"""The plain client reads each topic partition to its end, until what Spark's source fails over lies behind."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from jobs.lake.errors import TransientError
from jobs.sources.kafka import plain
from jobs.sources.kafka.plain import Record

GOOD, BAD = 1_790_000_000_000, 1_790_000_000 * 10**9


@pytest.mark.parametrize(
    ("chunks", "read"),
    [
        ([[GOOD, BAD], [GOOD], [GOOD]], 2),
        ([[GOOD], [GOOD], [BAD], [GOOD], [GOOD]], 4),
        ([[BAD], [BAD], [GOOD], [BAD]], 3),
        ([[BAD], [], [BAD]], 2),
        ([[GOOD], [GOOD], []], 3),
    ],
)
def test_chunks_are_read_until_a_clean_one_follows_a_bad_one_or_none_is(chunks: list[list[int]], read: int) -> None:
    left = [[Record(0, 0, None, (), b"", created) for created in chunk] for chunk in chunks]

    plain.until_past(lambda: left.pop(0))

    assert len(chunks) - len(left) == read


class Came:
    """What a consumer gives: a message, or an error in its place."""

    def __init__(self, partition: int, offset: int, error: int | None = None) -> None:
        self._place, self._error = (partition, offset), error

    def partition(self) -> int:
        return self._place[0]

    def offset(self) -> int:
        return self._place[1]

    def error(self) -> KafkaError | None:
        return None if self._error is None else KafkaError(self._error)

    def key(self) -> bytes | None:
        return None

    def headers(self) -> None:
        return None

    def value(self) -> bytes:
        return b"v" if self._error is None else b"no more"

    def timestamp(self) -> tuple[int, int]:
        return 1, GOOD


class FakeConsumer:
    """Gives what the test says, in turn; then nothing."""

    def __init__(self, *came: list[Came]) -> None:
        self._came = list(came)
        self.assigned: list[tuple[int, int]] = []

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned = [(place.partition, place.offset) for place in places]

    def unassign(self) -> None:
        """Nothing is left to fetch."""

    def consume(self, number: int, timeout: float) -> list[Came]:
        return self._came.pop(0) if self._came else []


END = KafkaError._PARTITION_EOF


@pytest.mark.parametrize(
    ("came", "places", "reached"),
    [
        ([[Came(0, 3), Came(0, 4)]], [(0, 3), (0, 4)], {0: 5, 1: 7}),
        ([[Came(0, 3)], [Came(0, 5)]], [(0, 3)], {0: 5, 1: 7}),  # 4 is a mark, 5 beyond the end
        ([[Came(0, 3)], [Came(0, 5, END)]], [(0, 3)], {0: 5, 1: 7}),  # 4 is a mark, and nothing follows
        ([[Came(0, 4, END)]], [], {0: 4, 1: 7}),  # an open transaction begins at 4
        ([[Came(0, 9, END)]], [], {0: 5, 1: 7}),
        ([[Came(0, 3), Came(1, 7), Came(0, 4)]], [(0, 3), (0, 4)], {0: 5, 1: 7}),
    ],
)
def test_each_topic_partition_is_read_to_its_end_whatever_lies_there(
    came: list[list[Came]], places: list[tuple[int, int]], reached: dict[int, int]
) -> None:
    consumer: Any = FakeConsumer(*came)

    records, found = plain.read(consumer, "orders", {0: 3, 1: 7}, {0: 5, 1: 7})

    assert consumer.assigned == [(0, 3)], "topic partition 1 has no more"
    assert [(record.partition, record.offset) for record in records] == places
    assert found == reached


def test_chunk_holds_no_more_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MESSAGES", 1)
    consumer: Any = FakeConsumer([Came(0, 3)], [Came(0, 4)])

    records, reached = plain.read(consumer, "orders", {0: 3}, {0: 5})

    assert (len(records), reached) == (1, {0: 4})


@pytest.mark.parametrize("came", [[], [[Came(0, 3, KafkaError._AUTO_OFFSET_RESET)]]])
def test_broker_that_does_not_give_the_messages_is_asked_again_later(
    monkeypatch: pytest.MonkeyPatch, came: list[list[Came]]
) -> None:
    monkeypatch.setattr(plain, "SECONDS", 0.0)
    consumer: Any = FakeConsumer(*came)

    with pytest.raises(TransientError, match=r"kafka: .*topic partition"):
        plain.read(consumer, "orders", {0: 3}, {0: 5})
