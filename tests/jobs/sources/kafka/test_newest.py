"""A log is known again by the newest message that was read of it, and not by its length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import pytest

from jobs.lake.errors import OffsetsLostError
from jobs.sources.kafka import newest, plain
from jobs.sources.kafka.broker import Bounds
from jobs.sources.kafka.plain import Record
from jobs.sources.kafka.position import Position

MOMENT = 1_790_000_000_000
READ = Record(0, 6, b"k", (), b"value", MOMENT)
KNOWN = Position({0: 7, 1: 0}, "orders", "", {0: newest.seen(READ)})
WHOLE = {0: Bounds(0, 9), 1: Bounds(0, 4)}


class FakeLogin:
    """A log-in to brokers that are asked nothing: `plain.read` is replaced."""

    @contextmanager
    def consumer(self, **_: object) -> Iterator[None]:
        yield


def confirm(monkeypatch: pytest.MonkeyPatch, *there: Record, bounds: dict[int, Bounds] = WHOLE) -> list[dict[int, int]]:
    """Compares with what Kafka has now; returns the offsets that it was asked for."""
    asked: list[dict[int, int]] = []

    def read(_: object, topic: str, begin: dict[int, int], ends: dict[int, int]) -> tuple[list[Record], dict[int, int]]:
        assert (topic, ends) == ("orders", {number: offset + 1 for number, offset in begin.items()})
        asked.append(begin)
        return list(there), ends

    login: Any = FakeLogin()
    monkeypatch.setattr(plain, "read", read)
    newest.confirm(login, KNOWN, bounds)
    return asked


def test_same_message_at_its_offset_is_the_same_log(monkeypatch: pytest.MonkeyPatch) -> None:
    assert confirm(monkeypatch, READ) == [{0: 6}]


@pytest.mark.parametrize("change", [{"value": b"other"}, {"value": None}, {"created": MOMENT + 1}, {"created": -1}])
def test_another_message_at_its_offset_is_another_log(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    with pytest.raises(OffsetsLostError, match="partition 0 of orders has another message at offset 6 than was read"):
        confirm(monkeypatch, READ._replace(**change))


def test_message_that_kafka_no_longer_has_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    confirm(monkeypatch)
    assert confirm(monkeypatch, bounds={0: Bounds(7, 9)}) == []


def test_times_that_are_none_are_not_compared() -> None:
    for created in (-(10**16), -1, 0, MOMENT // 1000, MOMENT * 1000):
        assert newest.seen(READ._replace(created=created)) == (6, -1, crc32(b"value"))
