"""`silver.orders` from bronze batches: newest-wins, replays, moves between partitions, quarantine."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.lake import difference
from jobs.silver import orders
from tests.jobs.lakehouse import (
    ORDERS,
    at,
    build,
    by,
    files,
    frame,
    killed_at,
    land,
    order,
    rows,
    silver_order,
    version,
)

GOOD = [silver_order()]

SILVER = "silver.orders"
EARLY = [
    order("O1", updated_at=at("2026-10-01 08:00:00")),
    order("O2", amount=Decimal("5.00"), updated_at=at("2026-10-01 09:00:00")),
    order("O3", updated_at=at("2026-10-01 10:00:00.000001")),
]
LATE = [
    order("O1", status="PAID", updated_at=at("2026-10-02")),
    order("O1", status="SHIPPED", order_date=date(2026, 9, 30), updated_at=at("2026-10-03")),
    order("O1", status="SHIPPED", order_date=date(2026, 9, 30), updated_at=at("2026-10-03")),
    order("O2", amount=Decimal("7.00"), updated_at=at("2026-10-01 09:00:00")),  # corrected without a new stamp
    order("O3", updated_at=at("2026-10-01 10:00:00.000002")),  # the same a microsecond later
]


def test_row_gets_its_source_and_month(spark: SparkSession) -> None:
    raw = frame(spark, [order(order_date=date(2026, 2, 28))], orders.SCHEMA)

    (row,) = orders.from_snowflake(raw.drop("source", "order_month")).collect()

    assert (row["source"], row["order_month"]) == ("snowflake", "2026-02")


@pytest.mark.slow
@pytest.mark.parametrize("arrival", [("early", "late"), ("late", "early")], ids=["early first", "late first"])
def test_batches_in_either_order_end_in_the_same_table(
    spark: SparkSession, lake: str, arrival: tuple[str, ...]
) -> None:
    read = {"early": (EARLY, at("2026-10-04")), "late": (LATE, at("2026-10-05"))}
    for name in arrival:
        batch, read_at = read[name]
        land(spark, ORDERS, name, [{**row, "_ingested_at": read_at} for row in batch])
        build(SILVER)

    assert rows(SILVER) == [
        silver_order("O1", status="SHIPPED", order_date=date(2026, 9, 30), updated_at=at("2026-10-03")),
        silver_order("O2", amount=Decimal("7.00"), updated_at=at("2026-10-01 09:00:00")),
        silver_order("O3", updated_at=at("2026-10-01 10:00:00.000002")),
    ]


def test_order_whose_date_moves_to_another_month_exists_once_and_only_new_rows_are_read(
    spark: SparkSession, lake: str
) -> None:
    land(spark, ORDERS, "b1", [order("O1"), order("O2")])
    build(SILVER)
    land(spark, ORDERS, "b2", [order("O1", order_date=date(2026, 11, 2), updated_at=at("2026-10-05"))])

    made = build(SILVER)

    assert by(SILVER, "order_id", "order_month") == {"O1": "2026-11", "O2": "2026-10"}
    assert (made["read"], made["written"]) == (1, 1)


def test_replay_rewrites_no_file_and_commits_its_inputs(spark: SparkSession, lake: str) -> None:
    batch = [order("O1"), order("O2", amount=Decimal("5.00"))]
    land(spark, ORDERS, "b1", batch)
    build(SILVER)
    before, earlier = files(SILVER), version(SILVER)
    replayed = land(spark, ORDERS, "b1", batch)

    made = build(SILVER)

    assert before
    assert files(SILVER) == before
    assert (made["output_version"], made["inputs"]) == (earlier + 1, {ORDERS: replayed})
    assert (made["read"], made["unchanged"], made["bytes_written"]) == (2, 2, 0)


def test_full_refresh_reads_all_of_bronze_and_finds_nothing_new(spark: SparkSession, lake: str) -> None:
    land(spark, ORDERS, "b1", [order("O1"), order("O2")])
    assert build(SILVER)["read"] == 2

    made = build(SILVER, full_refresh=True)

    assert (made["read"], made["unchanged"]) == (2, 2)


def test_quarantine_takes_exactly_the_broken_rows(spark: SparkSession, lake: str) -> None:
    broken: dict[str, dict[str, Any]] = {
        "order_id not_be_null": order(None),
        "customer_id not_be_null": order("Q1", customer_id=None),
        "order_date not_be_null": order("Q2", order_date=None),
        "order_date be_between": order("Q3", order_date=date(9999, 12, 31)),
        "updated_at not_be_null": order("Q4", updated_at=None),
        "currency not_be_null": order("Q5", currency=None),
        "currency match_regex": order("Q6", currency="EUR\r"),
        "amount not_be_null": order("Q7", amount=None),
        "amount be_between": order("Q8", amount=Decimal("-0.01")),
        "status not_be_null": order("Q9", status=None),
        "status be_in_set": order("Q10", status="LOST"),
        "order_id match_regex": order(" \r"),
        "customer_id match_regex": order("Q12", customer_id=""),
        "order_id match_regex; customer_id match_regex": order("Q13\0", customer_id=" C1"),
        "currency match_regex; amount be_between": order("Q11", currency="e", amount=Decimal("-1.00")),
    }
    good = [order("O1", amount=Decimal("0.00")), order("O2", customer_id="C 1")]
    batch = [*broken.values(), *good]
    land(spark, ORDERS, "b1", batch)

    made = build(SILVER)

    assert set(by(SILVER, "order_id", "status")) == {"O1", "O2"}
    assert set(by("quarantine.orders", "rule", "row_id")) == set(broken)
    assert (made["read"], made["written"], made["quarantined"]) == (len(batch), 2, len(broken))


def test_quarantine_keeps_the_row_as_read_and_a_replay_adds_nothing(spark: SparkSession, lake: str) -> None:
    bad = order("Q1", amount=None, updated_at=at("2026-10-01 08:00:00.123456"))
    land(spark, ORDERS, "b1", [order("O1"), bad])
    with killed_at(difference, "commit"):  # between the quarantine's commit and silver's
        build(SILVER)
    land(spark, ORDERS, "b1", [order("O1"), bad])  # the window is read again as well

    assert build(SILVER)["quarantined"] == 1

    (kept,) = rows("quarantine.orders")

    assert (kept["rule"], kept["source_table"], kept["batch_id"]) == ("amount not_be_null", ORDERS, "b1")
    assert kept["run_id"] == "run-1"
    assert '"order_id":"Q1"' in kept["raw_row"]
    assert '"amount":null' in kept["raw_row"]
    assert "2026-10-01T08:00:00.123456Z" in kept["raw_row"]


@pytest.mark.slow
def test_order_without_a_time_or_stamped_in_the_future_is_quarantined_until_its_time_comes(
    spark: SparkSession, lake: str
) -> None:
    future = {"updated_at": at("2026-10-09"), "_ingested_at": at("2026-10-02")}
    land(spark, ORDERS, "b1", [order("O1"), order("N", updated_at=None), order("F", **future)])
    build(SILVER)

    assert {row["rule"] for row in rows("quarantine.orders")} == {
        "updated_at not_be_null",
        "updated_at be_between",
    }
    assert set(by(SILVER, "order_id", "status")) == {"O1"}

    land(spark, ORDERS, "b2", [order("F", **{**future, "_ingested_at": at("2026-10-10")})])
    build(SILVER)
    assert set(by(SILVER, "order_id", "status")) == {"O1", "F"}
    build(SILVER, "run-3", full_refresh=True)
    assert set(by(SILVER, "order_id", "status")) == {"O1", "F"}
    assert len(rows("quarantine.orders")) == 2


@pytest.mark.slow
def test_amount_that_bronze_could_not_hold_is_kept_out_by_name_and_comes_in_when_the_source_is_mended(
    spark: SparkSession, lake: str
) -> None:
    lost = order("O2", amount=None, unread='{"amount": "12345678901234567.89"}')
    land(spark, ORDERS, "b1", [order("O1"), lost])
    assert build(SILVER)["quarantined"] == 1

    (kept_out,) = rows("quarantine.orders")
    assert kept_out["rule"].startswith("amount ")
    assert json.loads(json.loads(kept_out["raw_row"])["unread"]) == {"amount": "12345678901234567.89"}

    land(spark, ORDERS, "b2", [order("O2", updated_at=at("2026-10-02"))])
    assert build(SILVER, "run-2")["written"] == 1
    assert by(SILVER, "order_id", "amount").keys() == {"O1", "O2"}
