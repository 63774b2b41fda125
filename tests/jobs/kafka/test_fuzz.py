"""Ten thousand mutated messages: each is in exactly one table, judged as by itself, and the stream never stops."""

from __future__ import annotations

from random import Random

import pytest

from infra.local.kafka.events import Broken
from jobs.kafka import order_contract
from jobs.kafka.order_contract import DeadMessage
from tests.jobs.topics import DEAD, EVENTS, Topic, event, now, rows

NUMBER = 10_000
WORDS = [
    b"null", b"NaN", b"-1", b"1e999", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\u0000", b"\\ud800", b"\x00",
    b"\xff", b"\xe2\x82", b"true", b"0.001", b'"amount":', b'"2999-12-31T00:00:00Z"', b"\n", b"9" * 400,
]  # fmt: skip


def mutated(random: Random, message: bytes) -> bytes | None:
    """A message with one to four changes: bytes flipped, cut out, doubled or replaced by what trips a parser."""
    body = bytearray(message)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(body) + 1)
        until = min(len(body), at + random.choice((0, 1, 1, 5, 20)))
        how = random.randrange(5)
        if how == 0 and at < len(body):
            body[at] ^= 1 << random.randrange(8)
        elif how == 1:
            del body[at:until]
        elif how == 2:
            body[at:at] = body[at:until]
        elif how == 3:
            body[at:until] = random.choice(WORDS)
        elif random.random() < 0.02:
            return None
    return bytes(body)


def judged(message: bytes | None) -> str | None:
    """The reason for which a message is dead; None for an event."""
    try:
        order_contract.read(message, round(now().timestamp() * 1_000_000))
    except DeadMessage as dead:
        return dead.reason.value
    return None


def test_mutated_messages_are_each_in_one_table_and_the_stream_never_stops(
    topic: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random("fuzz 1")
    sent = [mutated(random, event(f"O{number}", amount=number / 100)) for number in range(NUMBER)]
    topic.send(sent)

    topic.read(NUMBER)

    assert "starts again" not in capsys.readouterr().out
    assert [offset for _, _, offset in sorted(topic.places(), key=lambda place: place[2])] == list(range(NUMBER))
    dead = {row["offset"]: row for row in rows(DEAD, ("offset", "value", "reason"))}
    alive = {row["offset"]: row["value"] for row in rows(EVENTS, ("offset", "value"))}
    for offset, message in enumerate(sent):
        reason = judged(message)
        if reason is None:
            assert alive[offset].encode() == message
        else:
            assert (dead[offset]["value"], dead[offset]["reason"]) == (message, reason)
    reasons = {row["reason"] for row in dead.values()}
    assert len(alive) > 100
    assert len(reasons) >= len(Broken) - 3, f"mutations reach only {reasons}"
