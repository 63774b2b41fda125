"""Snowflake's values and losses, through the real connector: no value is changed to fit, and every loss is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from snowflake.connector.cursor import SnowflakeCursor

from infra.local.sources.ecb.history import newest
from infra.local.sources.seed import connect
from jobs import run as run_py
from jobs.bronze import snowflake_orders
from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.errors import DataError, SchemaContractError
from jobs.lake.run import Run, Window
from jobs.sources.snowflake import account, reading
from tests.faults.conftest import Sources
from tests.jobs.lakehouse import ORDERS, at, request, version

END = datetime.combine(newest() + timedelta(days=1), time(), UTC)
ALL = Window(None, END)
DAY = Window(at("2026-10-01"), at("2026-10-02"))
FOREVER = Window(None, at("9999-12-31 23:00:00"))


def read(window: Window, **options: Any) -> tuple[list[pa.Table], dict[str, Any]]:
    """The parts, and the facts."""
    parts, rows = [], snowflake_orders.extract(request(ORDERS, window, **options))
    while True:
        try:
            parts.append(next(rows))
        except StopIteration as end:
            return parts, end.value


def rows(window: Window) -> list[dict[str, Any]]:
    parts, _ = read(window)
    return [row for part in parts for row in part.to_pylist()]


def asked(sources: Sources, query: str) -> list[Any]:
    """What the source itself answers."""
    with connect(sources.addresses) as connection:
        return list(connection.cursor().execute(query).fetchall())


def remake(sources: Sources, *values: str, amount: str = "NUMBER(18,2)", updated_at: str = "TIMESTAMP_NTZ(9)") -> None:
    """Creates ORDERS again, with these types and these rows of (order date, amount, updated at)."""
    sources.snowflake(
        "CREATE OR REPLACE TABLE PUBLIC.ORDERS (ORDER_ID VARCHAR, CUSTOMER_ID VARCHAR, ORDER_DATE DATE,"
        f" CURRENCY VARCHAR, AMOUNT {amount}, STATUS VARCHAR, UPDATED_AT {updated_at})"
    )
    for number, value in enumerate(values):
        day, money, moment = value.split("|")
        sources.snowflake(
            f"INSERT INTO PUBLIC.ORDERS VALUES ('O{number}', 'C1', '{day}', 'EUR', {money}, 'PAID', '{moment}')"
        )


@pytest.mark.parametrize("large", ["12345678901234567.89", "-" + "9" * 36 + ".99", "1" + "0" * 16])
def test_amount_with_too_many_digits_stops_no_other_row(sources: Sources, large: str) -> None:
    moment = "2026-10-01 08:00:00"
    good = [f"2026-10-01|{amount}|{moment}" for amount in ("12.30", "9999999999999.99", "-0.01")]
    remake(sources, *good, f"2026-10-01|'{large}'|{moment}", amount="NUMBER(38,2)")

    (part,), facts = read(DAY)

    amounts = [Decimal("12.30"), Decimal("9999999999999.99"), Decimal("-0.01"), None]
    assert part["amount"].to_pylist() == amounts
    assert part["unread"].to_pylist() == [None] * 3 + [json.dumps({"amount": f"{Decimal(large):.2f}"})]
    assert (facts["source_rows"], facts["source_sum"]) == (4, "10000000000012.28")


def test_whole_table_comes_in_parts_of_limited_size_and_as_the_source_counts_it(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS_PER_PART", 50)
    ((total, amount),) = asked(sources, "SELECT COUNT(*), CAST(SUM(AMOUNT) AS NUMBER(38,2)) FROM PUBLIC.ORDERS")

    parts, facts = read(ALL)

    assert max(part.num_rows for part in parts) == 50
    assert sum(part.num_rows for part in parts) == total >= 200
    assert facts == {"source_rows": total, "source_sum": str(amount), "source_total": total}


def test_large_sums_are_compared_to_the_cent(sources: Sources) -> None:
    """The stand-in adds up doubles, which have no 80000000000000.04."""
    remake(sources, *["2026-10-01|40000000000000.02|2026-10-01 08:00:00"] * 2)

    assert read(DAY)[1]["source_sum"] == "80000000000000.04"


def test_window_is_counted_apart_from_the_whole_table(sources: Sources) -> None:
    remake(sources, "2026-10-01|1.10|2026-10-01 08:00:00", "2026-10-02|2.20|2026-10-02 00:00:00")

    parts, facts = read(DAY)

    assert [part["amount"].to_pylist() for part in parts] == [[Decimal("1.10")]]
    assert facts == {"source_rows": 1, "source_sum": "1.10", "source_total": 2, "outside": {"later": 1}}


def test_last_day_of_the_calendar_is_kept_beside_usual_ones(sources: Sources) -> None:
    remake(sources, "9999-12-31|1.00|9999-12-31 00:00:00", "2026-10-01|1.00|2026-10-01 08:00:00.123456")

    found = {row["order_date"]: row["updated_at"] for row in rows(FOREVER)}

    assert found == {date(9999, 12, 31): at("9999-12-31"), date(2026, 10, 1): at("2026-10-01 08:00:00.123456")}


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("TIMESTAMP_NTZ(9)", "2026-10-01 23:30:00.000001"),
        ("TIMESTAMP_LTZ(9)", "2026-10-01 23:30:00.000001+00:00"),
        ("TIMESTAMP_TZ(9)", "2026-10-02 01:30:00.000001+02:00"),
    ],
    ids=["NTZ", "LTZ", "TZ"],
)
def test_time_of_every_kind_becomes_its_utc_microsecond_and_lies_in_its_window(
    sources: Sources, kind: str, written: str
) -> None:
    remake(sources, f"2026-10-01|1.00|{written}", updated_at=kind)

    (row,) = rows(DAY)

    assert row["updated_at"] == at("2026-10-01 23:30:00.000001")
    assert rows(Window(DAY.end, DAY.end + timedelta(days=1))) == []


def test_whole_number_that_fits_becomes_an_amount(sources: Sources) -> None:
    remake(sources, "2026-10-01|1234567890123|2026-10-01 08:00:00", amount="NUMBER(38,0)")

    assert [row["amount"] for row in rows(DAY)] == [Decimal("1234567890123.00")]


def test_column_of_another_kind_is_refused_and_read_by_the_view_that_the_error_asks_for(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    remake(sources, "2026-10-01|12.30|2026-10-01 08:00:00", amount="FLOAT", updated_at="TIMESTAMP_NTZ(9)")
    with pytest.raises(
        SchemaContractError,
        match=r"column AMOUNT of ORDERS is double and has to be decimal128\(18, 2\).* make a view in Snowflake",
    ):
        read(DAY)

    others = "ORDER_ID, CUSTOMER_ID, ORDER_DATE, CURRENCY, STATUS, UPDATED_AT"
    sources.snowflake(
        f"CREATE OR REPLACE VIEW PUBLIC.ORDERS_CAST AS SELECT {others}, CAST(AMOUNT AS NUMBER(18,2)) AS AMOUNT"
        " FROM PUBLIC.ORDERS"
    )
    monkeypatch.setattr(snowflake_orders, "ORDERS", replace(snowflake_orders.ORDERS, name="ORDERS_CAST"))

    assert [row["amount"] for row in rows(DAY)] == [Decimal("12.30")]


def test_row_that_the_connector_loses_is_missed(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    def losing(cursor: SnowflakeCursor, **options: Any) -> Iterator[pa.Table]:
        for batch in whole(cursor, **options):
            yield batch.slice(1)

    whole = SnowflakeCursor.fetch_arrow_batches
    monkeypatch.setattr(SnowflakeCursor, "fetch_arrow_batches", losing)
    remake(sources, "2026-10-01|1.10|2026-10-01 08:00:00", "2026-10-01|2.20|2026-10-01 09:00:00")

    with pytest.raises(DataError) as caught:
        read(DAY)

    assert str(caught.value).startswith(
        "snowflake: ORDERS counts 2 rows with a sum of 3.30 in the window, but 1 rows with a sum of 2.20 arrived: "
        "1 are missing. Nothing was written."
    )


@pytest.mark.parametrize("place", ["account.take", "reading._measure"], ids=["before the read", "after it"])
def test_order_that_changes_while_the_table_is_read_is_not_a_loss(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The second place lies between the statement that reads and the count of its result."""

    def changed_at(*arguments: Any) -> Any:
        if place == "account.take":
            found = real(*arguments)
        sources.snowflake("UPDATE PUBLIC.ORDERS SET UPDATED_AT = '2026-10-05' WHERE ORDER_ID = 'O0'")
        return found if place == "account.take" else real(*arguments)

    module, name = {"account.take": (account, "take"), "reading._measure": (reading, "_measure")}[place]
    real = getattr(module, name)
    monkeypatch.setattr(module, name, changed_at)
    remake(sources, "2026-10-01|1.10|2026-10-01 08:00:00", "2026-10-01|2.20|2026-10-01 09:00:00")

    facts = read(DAY)[1]

    read_before = {"source_rows": 2, "source_sum": "3.30"}
    assert facts.items() >= (read_before if place == "reading._measure" else {"source_rows": 1}).items()


@pytest.mark.slow
def test_source_that_lost_most_rows_is_refused_until_that_is_accepted_and_late_rows_join_the_next_batch(
    spark: SparkSession, sources: Sources
) -> None:
    def ingest(day: int, *accept: str) -> None:
        begin = END + timedelta(days=day)
        run_py.perform(
            Run(f"run-{day}", ORDERS, window_start=begin, window_end=begin + timedelta(days=1), accept=accept)
        )

    def facts() -> dict[str, Any]:
        return dict(log.newest_facts(settings.lake().uri(ORDERS)))

    ingest(0)
    before, total = version(ORDERS), facts()["source_total"]
    sources.snowflake("DELETE FROM PUBLIC.ORDERS WHERE ORDER_ID NOT LIKE '%1'")
    ((left,),) = asked(sources, "SELECT COUNT(*) FROM PUBLIC.ORDERS")
    assert 0 < left < total / 2

    with pytest.raises(DataError, match=f"ORDERS has {left} rows and had {total} when it was last read") as caught:
        ingest(1)
    assert "--accept fewer_rows" in str(caught.value)
    assert version(ORDERS) == before

    ingest(1, "fewer_rows")
    assert version(ORDERS) == before + 1
    assert facts()["source_total"] == left
    for moment in ("'2010-01-01'", "NULL"):
        sources.snowflake(f"INSERT INTO PUBLIC.ORDERS VALUES ('L', 'C1', '2010-01-01', 'EUR', 1.00, 'PAID', {moment})")
    ingest(2)  # what was accepted is what later reads are compared with
    assert version(ORDERS) == before + 2
    assert facts().items() >= {"source_rows": 2, "late": {"2010-01-01": 1, "no time": 1}}.items()
