"""Three small days of every source, and the steps that take them to gold: what the kept lakes are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.types import BinaryType, StructType

from jobs import run as run_py
from jobs.lake import ingest, table_module, tables
from jobs.lake.extract import Extract, Request, SourceRows
from jobs.lake.run import Run
from jobs.lake.schema import arrow, column
from jobs.lake.state import leases, ledger
from jobs.sources.kafka import batches, position
from jobs.sources.kafka.message import MESSAGE
from jobs.sources.kafka.topic import of_table
from tests import lakes
from tests.jobs.lakehouse import ACCOUNTS, EVENTS, ORDERS, RATES, account, at, order, quote

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Day:
    """What the sources have on a day.

    Attributes:
        rows: of each batch source, with what the source says about them.
        events: of the topic: batches of message values.
    """

    rows: Mapping[str, tuple[Sequence[Row], Mapping[str, Any]]]
    events: Sequence[Sequence[bytes]]


def _quotes(day: str, usd: str) -> list[Row]:
    rates = {"EUR": "1", "USD": usd, "GBP": "0.85", "JPY": "160.5"}
    return [quote(day, ccy, rate, f"{day} 15:00:00") for ccy, rate in rates.items()]


def _account(number: int, account_number: str | None, **other: Any) -> Row:
    return account(f"00100000000000{number}AAA", account_number=account_number, name=f"Firm {number}", **other)


def _event(order_id: str, moment: str, **other: Any) -> bytes:
    known = {"order_id": order_id, "customer_id": "C3", "order_date": "2026-10-01", "currency": "GBP", "amount": 7.5}
    return json.dumps({**known, "status": "PLACED", "event_timestamp": moment, **other}).encode()


def _first_orders() -> list[Row]:
    september, currencies = (1, 2), ("EUR", "USD", "GBP", "XAF")
    days = {n: date(2026, 9, 30) if n in september else date(2026, 10, 1) for n in range(1, 8)}
    good = [
        order(f"O{n}", customer_id=f"C{n % 3 + 1}", order_date=day, currency=currencies[n % 4])
        for n, day in days.items()
    ]
    return [*good, order("O9", amount=Decimal("-5.00"))]


DAYS = (
    Day(
        {
            RATES: (
                [*_quotes("2026-09-30", "1.10"), *_quotes("2026-10-01", "1.12")],
                {"source_rows": 8, "source_days": 2, "source_last_day": "2026-10-01"},
            ),
            ACCOUNTS: (
                [_account(1, "C1"), _account(2, "C2"), _account(3, None)],
                {"source_rows": 3, "arrived_rows": 3, "hard_deleted": 0},
            ),
            ORDERS: (_first_orders(), {"source_rows": 8, "source_sum": "65.00", "source_total": 8}),
        },
        [[_event("K1", "2026-10-01T09:00:00Z"), b"{broken"], [_event("K2", "2026-10-01T09:02:00Z")]],
    ),
    Day(
        {
            RATES: (
                [*_quotes("2026-10-01", "1.13"), *_quotes("2026-10-02", "1.14")],
                {"source_rows": 8, "source_days": 3, "source_last_day": "2026-10-02"},
            ),
            ACCOUNTS: (
                [
                    _account(2, "C2", type="Partner", system_modstamp="2026-10-02T03:00:00.000+0000"),
                    _account(4, "C4", system_modstamp="2026-10-02T03:00:00.000+0000"),
                ],
                {"source_rows": 2, "arrived_rows": 2, "hard_deleted": 0},
            ),
            ORDERS: (
                [
                    order(
                        "O1", customer_id="C2", order_date=date(2026, 9, 30), currency="USD", status="PAID",
                        updated_at=at("2026-10-02 04:00:00"),
                    ),
                    order(
                        "O10", customer_id="C9", order_date=date(2026, 10, 2), updated_at=at("2026-10-02 05:00:00")
                    ),
                ],
                {"source_rows": 2, "source_sum": "20.00", "source_total": 9},
            ),
        },
        [
            [
                _event("K1", "2026-10-01T09:05:00Z", status="PAID"),
                _event("K3", "2026-10-01T09:06:00Z", currency="ZZZ"),
            ]
        ],
    ),
    Day(
        {
            RATES: (
                [*_quotes("2026-10-02", "1.15"), *_quotes("2026-10-05", "1.16")],
                {"source_rows": 8, "source_days": 4, "source_last_day": "2026-10-05"},
            ),
            ACCOUNTS: (
                [_account(4, "C9", system_modstamp="2026-10-03T03:00:00.000+0000")],
                {"source_rows": 1, "arrived_rows": 1, "hard_deleted": 0},
            ),
            ORDERS: (
                [
                    order("O2", customer_id="C3", order_date=date(2026, 10, 2), updated_at=at("2026-10-03 04:00:00")),
                    order("O11", customer_id="C1", order_date=date(2026, 10, 2), updated_at=at("2026-10-03 05:00:00")),
                    order("O12", status="LOST", updated_at=at("2026-10-03 06:00:00")),
                ],
                {"source_rows": 3, "source_sum": "30.00", "source_total": 11},
            ),
        },
        [[_event("K1", "2026-10-01T09:10:00Z", status="SHIPPED"), b"[]", _event("K4", "2026-10-01T09:06:00Z")]],
    ),
)  # fmt: skip


def run_of(step: str, number: int, code: str, **options: Any) -> Run:
    """The scheduled run of a day, counted from 1: the day before 2 October ends first."""
    end = datetime(2026, 10, 1 + number, tzinfo=UTC)
    run_id = f"scheduled__{end:%Y-%m-%dT%H:%M:%S+00:00}"
    start = end - timedelta(days=1)
    return Run(run_id, step, "daily_lakehouse", code, window_start=start, window_end=end, **options)


def go(spark: SparkSession, number: int, code: str) -> None:
    """Takes a day from its sources to gold, as `daily_lakehouse` and the stream do."""
    day, lakehouse = DAYS[number - 1], tables.pipeline("lakehouse")
    _stream(spark, number, code, day.events)
    for table in lakehouse.built:
        if table.layer == "bronze":
            schema = table_module.load(table).SCHEMA
            ingest.ingest(
                spark, run_of(table.name, number, code), table, schema, _giving(schema, *day.rows[table.name])
            )
    for table in lakehouse.layer("silver"):
        run_py.perform(run_of(table.name, number, code))
    run_py.perform(run_of("gate", number, code, subject="lakehouse"))
    for table in lakehouse.layer("gold"):
        run_py.perform(run_of(table.name, number, code))
    lakes.forget_frames()


def _giving(schema: StructType, rows: Sequence[Row], facts: Mapping[str, Any]) -> Extract:
    def extract(_: Request) -> SourceRows:
        yield pa.Table.from_pylist([dict(row) for row in rows], arrow(schema))
        return dict(facts)

    return extract


def _stream(spark: SparkSession, number: int, code: str, values: Iterable[Sequence[bytes]]) -> None:
    topic = of_table(tables.table(EVENTS))
    run = Run(f"stream__{number}__0123456789ab", EVENTS, "orders_stream", code)
    schema = StructType([*MESSAGE, column("value", BinaryType(), "its bytes")])
    with leases.hold(run, topic.events.name, topic.dead.name) as held:
        batches.create_tables(spark, topic)
        writer = batches.BatchWriter(spark, run, topic, held, position.of_table(topic.events) or position.Position())
        for group in values:
            begin = writer.position.offsets.get(0, 0)
            messages = [_message(offset, value) for offset, value in enumerate(group, start=begin)]
            writer.commit(spark.createDataFrame(messages, schema), {0: begin + len(messages)})
        position.save_checkpoint(topic.events, writer.position.offsets)
        ledger.record_stream(topic.events.name, lag=0, events_per_second=1.0)
        ledger.record_stream(topic.dead.name)


def _message(offset: int, value: bytes) -> tuple[Any, ...]:
    moment = datetime(2026, 10, 1, 9, offset, tzinfo=UTC)
    return ("orders", 0, offset, bytearray(b"k"), [], moment, bytearray(value))
