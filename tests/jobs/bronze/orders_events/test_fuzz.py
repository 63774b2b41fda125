"""Ten thousand mutated messages: each is in exactly one table, judged as by itself, and the stream never stops."""

from __future__ import annotations

from random import Random

import pytest

from infra.local.kafka.events import Broken
from jobs.bronze.orders_events import contract
from jobs.bronze.orders_events.contract import DeadMessage
from tests.jobs.bronze.orders_events.mutations import mutated
from tests.jobs.topics import DEAD, EVENTS, Topic, event, now, rows

NUMBER = 10_000


def judged(message: bytes | None) -> str | None:
    """The reason for which a message is dead; None for an event."""
    try:
        contract.read(message, round(now().timestamp() * 1_000_000))
    except DeadMessage as dead:
        return dead.reason.value
    return None


@pytest.mark.slow
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
