"""Messages whose producer gave them an impossible time: each is a dead letter, and the stream goes on behind it."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from jobs.lake.run import Run
from jobs.operations import dlq
from jobs.sources.kafka import stream
from jobs.sources.kafka.record_time import SPARK_HOLDS
from tests.jobs.topics import DEAD, EVENTS, Topic, event, rows

NOW = int(time.time() * 1000)
TIMES = {  # 0 is missing too, but this client's producer takes it for now
    -1: "kafka_time_missing",
    NOW // 1000: "kafka_time_in_seconds",
    NOW * 1000: "kafka_time_in_microseconds",  # Spark makes it the year 58870
    NOW * 10**6: "kafka_time_in_nanoseconds",
    -(10**16): "kafka_time_out_of_range",
    2**63 - 1: "kafka_time_out_of_range",
}


@pytest.mark.slow
def test_no_time_of_a_message_stops_the_stream_or_the_queue(
    topic: Topic, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(created not in SPARK_HOLDS for created in TIMES) == 3, "Spark itself fails over them"
    topic.send([event("O1")])
    for created in TIMES:
        topic.send([event("poison"), b"{"], timestamp=created, headers=[("trace", b"1")])
        topic.send([event("O2")], partition=1, timestamp=NOW)
    topic.send([event("O3")])

    topic.read(2 + 3 * len(TIMES), seconds=200)

    assert [row["order_id"] for row in rows(EVENTS, ("order_id",))].count("poison") == 0
    dead = {row["offset"]: row for row in rows(DEAD, ("offset", "reason", "timestamp", "created_ms", "headers"))}
    expected = [entry for created, reason in TIMES.items() for entry in ((reason, created), ("not_json", created))]
    assert [(dead[n]["reason"], dead[n]["created_ms"]) for n in sorted(dead)] == expected
    assert {str(row["timestamp"]) for row in dead.values()} == {"None"}, "no reader meets the year 58870"
    assert {str(row["headers"]) for row in dead.values()} == {"[{'key': 'trace', 'value': b'1'}]"}
    last = 2 * len(TIMES) + 1
    assert [place for place in topic.places() if place[1] == 0] == [
        *[(DEAD, 0, offset) for offset in range(1, last)], (EVENTS, 0, 0), (EVENTS, 0, last),
    ]  # fmt: skip
    shown = capsys.readouterr().out
    assert "messages plainly, 6 of a time too large for Spark" in shown

    monkeypatch.setattr(dlq, "_topics", lambda: [topic.source])
    asked = Run("by-hand", "dlq", subject=EVENTS)
    dlq.count(asked)
    dlq.sample(asked)
    shown = capsys.readouterr().out
    assert "2  kafka_time_out_of_range     no time" in shown
    assert f"offset 3  time {NOW // 1000}  kafka_time_in_seconds: the producer gave" in shown
    dlq.replay(asked)
    assert f"{len(dead)} messages judged again, 0 became events" in capsys.readouterr().out


def test_time_of_another_unit_that_spark_can_hold_is_no_date(topic: Topic) -> None:
    held = {created: reason for created, reason in TIMES.items() if created in SPARK_HOLDS}
    for created in held:
        topic.send([event("poison")], timestamp=created)

    topic.read(len(held))

    dead = rows(DEAD, ("offset", "reason", "timestamp", "created_ms"))
    told = [(row["reason"], row["created_ms"], row["timestamp"]) for row in sorted(dead, key=lambda row: row["offset"])]
    assert told == [(reason, created, None) for created, reason in held.items()]


@pytest.mark.slow
def test_producer_that_always_counts_nanoseconds_does_not_stop_the_stream(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "GIVE_UP", timedelta(seconds=30))
    with topic.streaming():
        for turn in range(12):
            topic.send([event(f"O{turn}")])
            topic.send([event("poison")], timestamp=NOW * 10**6)
            time.sleep(1)
    topic.read(24, "stream-2")

    assert topic.places() == sorted(
        [*[(EVENTS, 0, 2 * n) for n in range(12)], *[(DEAD, 0, 2 * n + 1) for n in range(12)]]
    )
