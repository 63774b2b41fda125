"""After a fix, a replay moves dead messages to their table once, whatever is killed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.lake.run import Run
from jobs.lake.state import stream_control
from jobs.operations import dlq
from jobs.sources.kafka import batches, redrive, stream
from tests.jobs import lakehouse
from tests.jobs.topics import DEAD, EVENTS, Topic, event, rows, wait, write_desired_state

REPLAY = Run("by-hand", "dlq.replay", subject=EVENTS)
ALL = "true"


@pytest.fixture
def strict(topic: Topic) -> Topic:
    """A topic whose messages were judged by a release that did not know the yen."""
    topic.refused = "JPY"
    topic.send([event("O1"), event("O2", currency="JPY"), b"{", event("O3", currency="JPY")])
    topic.read(4)
    topic.refused = ""
    assert topic.places() == [(DEAD, 0, 1), (DEAD, 0, 2), (DEAD, 0, 3), (EVENTS, 0, 0)]
    return topic


def test_chosen_messages_that_are_valid_now_move_once_and_others_stay(strict: Topic, spark: SparkSession) -> None:
    first = redrive.replay(spark, REPLAY, strict.source, F.col("offset") == 1)
    version = lakehouse.version(EVENTS)
    recorded = lakehouse.record(EVENTS)  # by the replay itself, while the stream waits
    assert (recorded["step"], recorded["run_id"], recorded["read"]) == ("dlq.replay", "by-hand", 1)
    again = redrive.replay(spark, REPLAY, strict.source, F.col("offset") == 1)

    assert (first.valid, again.chosen, lakehouse.version(EVENTS)) == (1, 0, version)
    assert strict.places() == [(DEAD, 0, 2), (DEAD, 0, 3), (EVENTS, 0, 0), (EVENTS, 0, 1)]

    rest = redrive.replay(spark, REPLAY, strict.source, F.expr(ALL))

    assert (rest.chosen, rest.valid) == (2, 1)
    assert strict.places() == [(DEAD, 0, 2), (EVENTS, 0, 0), (EVENTS, 0, 1), (EVENTS, 0, 3)]
    assert {row["order_id"] for row in rows(EVENTS, ("order_id",))} == {"O1", "O2", "O3"}


def test_replay_that_was_killed_between_its_commits_is_finished_by_the_stream(
    strict: Topic, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = redrive.finish, []

    def second_call_is_killed(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise InterruptedError("killed")
        real(*arguments)

    monkeypatch.setattr(redrive, "finish", second_call_is_killed)
    with pytest.raises(InterruptedError):
        redrive.replay(spark, REPLAY, strict.source, F.expr(ALL))
    assert (DEAD, 0, 1) in strict.places(), "killed between the two commits"
    assert (EVENTS, 0, 1) in strict.places()
    strict.send([event("O4")])

    with strict.streaming("stream-2"):
        wait(lambda: len(strict.places()) == 5)

    assert strict.places() == [(DEAD, 0, 2), *[(EVENTS, 0, offset) for offset in (0, 1, 3, 4)]]


def test_replay_between_a_kill_of_the_stream_and_its_restart_doubles_no_message(
    strict: Topic, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    strict.send([event("O4", currency="JPY"), event("O5")])
    strict.send([event("O6", currency="JPY")], partition=1)
    strict.refused = "JPY"
    write_desired_state(stream_control.DesiredState())
    with lakehouse.killed_at(batches.BatchWriter, "_append_events"), monkeypatch.context() as patch:
        patch.setattr(stream, "GIVE_UP", timedelta(0))
        strict.run("stream-2")
    assert {(DEAD, 0, 4), (DEAD, 1, 0)} <= set(strict.places()), "dead letters of a batch that was not committed"
    strict.refused = ""

    monkeypatch.setattr(dlq, "topic_of", lambda _: strict.source)
    dlq.replay(REPLAY)

    assert {(DEAD, 0, 4), (DEAD, 1, 0)} <= set(strict.places()), "the stream reads them again"
    assert (
        f"{DEAD}: 3 messages judged again, 2 became events; 2 left: they are beyond the stream's position, and the "
        "stream reads them again when it starts\n"
    ) in capsys.readouterr().out
    strict.read(7, "stream-3")
    assert strict.places() == [(DEAD, 0, 2), *[(EVENTS, 0, n) for n in (0, 1, 3, 4, 5)], (EVENTS, 1, 0)]


@pytest.mark.slow
def test_silver_reads_replayed_messages_as_a_batch_of_their_own(strict: Topic, spark: SparkSession) -> None:
    lakehouse.land(spark, lakehouse.ORDERS, "b1", [lakehouse.order("S1")])
    assert lakehouse.build("silver.orders")["read_by_source"] == {lakehouse.ORDERS: 1, EVENTS: 1}
    redrive.replay(spark, REPLAY, strict.source, F.expr(ALL))

    built = lakehouse.build("silver.orders", "run-2")

    assert built["read_by_source"] == {EVENTS: 2}
    assert set(lakehouse.by("silver.orders", "order_id", "source").items()) == {
        ("S1", "snowflake"), ("O1", "kafka"), ("O2", "kafka"), ("O3", "kafka"),
    }  # fmt: skip
