"""The dead-letter queue: what it keeps of a message, and that lists never show the message's content."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.lake.run import Run, utc
from jobs.operations import dlq
from tests.jobs.topics import DEAD, EVENTS, Topic, event, rows

PERSONAL = b'{"order_id": "O1", "customer_id": "Jane Doe'
ASKED = Run("by-hand", "dlq", subject=EVENTS)


@pytest.fixture
def queue(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> Topic:
    """A queue of three messages; the operations know only the test's topic."""
    monkeypatch.setattr(dlq, "_topics", lambda: [topic.source])
    topic.send([event("O1"), PERSONAL, None, b"\xff"])
    topic.read(4)
    return topic


def test_dead_message_is_kept_byte_by_byte_with_reason_and_detail(queue: Topic) -> None:
    kept = {row["offset"]: row for row in rows(DEAD, ("offset", "value", "reason", "detail"))}

    assert kept == {
        1: {"offset": 1, "value": PERSONAL, "reason": "not_json",
            "detail": "at character 34: Unterminated string starting at"},
        2: {"offset": 2, "value": None, "reason": "tombstone", "detail": "the message has no value"},
        3: {"offset": 3, "value": b"\xff", "reason": "not_utf8", "detail": "byte 0 is not UTF-8"},
    }  # fmt: skip


def test_listings_show_offset_and_reason_and_never_the_content(
    queue: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    dlq.count(ASKED)
    dlq.count(replace(ASKED, rule="tombstone", window_start=utc("2026-01-01"), offsets=("0:0-9",)))
    dlq.count(replace(ASKED, window_end=utc("2026-01-01")))
    dlq.sample(replace(ASKED, offsets=("0:1",)))
    shown = capsys.readouterr().out

    assert f"{DEAD}: 3 messages" in shown
    assert f"{DEAD}: 1 messages" in shown
    assert f"{DEAD}: 0 messages" in shown
    assert f"topic partition 0 of {queue.name} offset 1" in shown
    assert "not_json: at character 34: Unterminated string starting at  43 bytes" in shown
    assert "Jane" not in shown
