"""Each writer of each layer looks just before its commit whether the table is still its own to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import BinaryType, StringType, StructField, StructType

from jobs.lake import ingest, settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import LeaseLostError
from jobs.lake.run import Run
from jobs.lake.schema import column
from jobs.lake.state import gate_verdicts, lease_owner, leases, objects
from jobs.lake.state.leases import Lease
from jobs.operations import stream as operation
from jobs.sources.kafka import batches, compaction, redrive
from jobs.sources.kafka.message import MESSAGE
from jobs.sources.kafka.position import Position
from jobs.sources.kafka.topic import of_table
from tests.jobs.lakehouse import ACCOUNTS, EVENTS, ORDERS, at, build, land, order, put, silver_order, silver_rate
from tests.jobs.topics import event

SILVER, KEPT_OUT, GOLD, RATES, DEAD = (
    "silver.orders", "quarantine.orders", "gold.fact_orders", "silver.fx_rates", "bronze.orders_dlq",
)  # fmt: skip
TOPIC = of_table(tables.table(EVENTS))
SESSION = Run("stream-1", EVENTS)
Write = Callable[[], object]


@contextmanager
def overtaken(table: str) -> Iterator[None]:
    """Another owner takes the table's lease when its writer is about to commit: the writer fails, without a commit."""
    real, before = Lease.renew, recorded(table)
    done: list[str] = []

    def renew(lease: Lease) -> None:
        if lease.table == table and not done:
            done.append(table)
            objects.write_json(lease_owner.key(table), {**lease.body, "owner": "o", "fencing": lease.fencing + 1})
        real(lease)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lease, "renew", renew)
        with pytest.raises(LeaseLostError, match=f"^{table}: the lease of run .* was taken over"):
            yield
    assert done
    assert recorded(table) == before


def recorded(table: str) -> list[tuple[int, int | None]]:
    """The versions that a step has made, with their fencing numbers."""
    made = [commit for commit in log.commits(settings.lake().uri(table)) if commit.record]
    return [(commit.version, commit.record.fencing) for commit in made if commit.record]


def a_window(spark: SparkSession) -> Write:
    schema = StructType([StructField("id", StringType(), metadata={"comment": "its id"})])

    def extract(_: object) -> Iterator[pa.Table]:
        yield pa.table({"id": ["a"]})

    run = Run("run-1", ACCOUNTS, window_start=at("2026-10-01"), window_end=at("2026-10-02"))
    return lambda: ingest.ingest(spark, run, tables.table(ACCOUNTS), schema, extract)


def orders(*rows: Mapping[str, Any]) -> Callable[[SparkSession], Write]:
    def arranged(spark: SparkSession) -> Write:
        land(spark, ORDERS, "b1", list(rows))
        return lambda: build(SILVER)

    return arranged


def facts(_: SparkSession) -> Write:
    passed = {RATES: put(RATES, [silver_rate("2026-10-01", "EUR", "2.0")]), SILVER: put(SILVER, [silver_order()])}
    gate_verdicts.record_passed(Run("run-1", "gate"), passed)
    return lambda: build(GOLD)


BATCH_STEPS = [
    (ACCOUNTS, a_window),
    (SILVER, orders(order())),
    (KEPT_OUT, orders(order(), order("O2", amount=Decimal(-1)))),
    (GOLD, facts),
]


@pytest.mark.slow
@pytest.mark.parametrize(("table", "arranged"), BATCH_STEPS, ids=[table for table, _ in BATCH_STEPS])
def test_step_whose_table_was_taken_over_commits_nothing(
    spark: SparkSession, lake: str, table: str, arranged: Callable[[SparkSession], Write]
) -> None:
    write = arranged(spark)

    with overtaken(table):
        write()


def message(offset: int, value: bytes) -> tuple[Any, ...]:
    return ("orders", 0, offset, bytearray(b"k"), [], datetime(2026, 10, 1, 9, offset, tzinfo=UTC), bytearray(value))


def a_batch(spark: SparkSession, held: dict[str, Lease], first: int = 0) -> None:
    """Commits an event and a dead message."""
    schema = StructType([*MESSAGE, column("value", BinaryType(), "its bytes")])
    rows = [message(first, event()), message(first + 1, b"{")]
    writer = batches.BatchWriter(spark, SESSION, TOPIC, held, Position({0: first}, "orders"))
    writer.commit(spark.createDataFrame(rows, schema), {0: first + 2})


def compacted(spark: SparkSession, held: dict[str, Lease]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "EVERY", 1)
        compaction.Compaction(spark, SESSION, held).after_batch()


def unfinished_removed(spark: SparkSession, held: dict[str, Lease]) -> None:
    assert batches.remove_unfinished(spark, SESSION, TOPIC, Position({0: 1}, "orders"), held) == 1


def replay_finished(spark: SparkSession, held: dict[str, Lease]) -> None:
    objects.write_json(f"_control/{EVENTS}.replay.json", {"batch_id": "orders-000000000002"})
    redrive.finish(spark, SESSION, TOPIC.events, TOPIC.dead, held)


STREAM_STEPS: dict[str, tuple[tuple[str, ...], Callable[[SparkSession, dict[str, Lease]], object]]] = {
    "batch": ((DEAD, EVENTS), lambda spark, held: a_batch(spark, held, 2)),
    "compaction": ((DEAD, EVENTS), compacted),
    "unfinished": ((DEAD,), unfinished_removed),
    "finish": ((DEAD,), replay_finished),
}


@pytest.mark.slow
@pytest.mark.parametrize("step", STREAM_STEPS)
def test_stream_whose_table_was_taken_over_commits_nothing_more(spark: SparkSession, lake: str, step: str) -> None:
    names, write = STREAM_STEPS[step]
    batches.create_tables(spark, TOPIC)
    with leases.hold(SESSION, EVENTS, DEAD) as held:
        for first in (0,) if step != "compaction" else (0, 2):
            a_batch(spark, held, first)

    for table in names:
        with overtaken(table), leases.hold(SESSION, EVENTS, DEAD) as held:
            write(spark, held)
        objects.delete(lease_owner.key(table))
        with leases.hold(SESSION, table) as held:
            (_, newest), *_ = recorded(table)
            assert held[table].fencing > (newest or 0), "it goes on from the table's last commit"


@pytest.mark.slow
def test_gap_is_not_accepted_by_a_person_whose_lease_was_taken_over(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches.create_tables(spark, TOPIC)
    with leases.hold(SESSION, EVENTS, DEAD) as held:
        a_batch(spark, held)
    monkeypatch.setattr(operation.broker, "Login", FakeLogin)
    monkeypatch.setattr(operation.broker, "bounds", lambda *_: {0: operation.broker.Bounds(first=7, end=9)})

    with overtaken(EVENTS):
        operation.accept_gap(Run("manual__1", "stream.accept_gap", subject=EVENTS))


class FakeLogin:
    """A broker that nobody has to reach."""

    @classmethod
    def from_secret(cls) -> FakeLogin:
        return cls()

    @contextmanager
    def consumer(self) -> Iterator[None]:
        yield
