"""Silver is what bronze gives now: replaced batches, corrections, tightened rules, great losses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from dq import rules
from jobs.lake import upsert
from jobs.lake.errors import DataError
from jobs.silver import orders
from tests.jobs.lakehouse import (
    ACCOUNTS,
    EVENTS,
    ORDERS,
    account,
    at,
    build,
    by,
    land,
    order,
    order_event,
    record,
    rows,
    version,
)

SILVER = "silver.orders"
LATER = at("2026-10-02")


def amounts(spark: SparkSession) -> dict[str, int]:
    return {name: int(amount) for name, amount in by(SILVER, "order_id", "amount").items()}


def priced(name: str, amount: int, **other: Any) -> dict[str, Any]:
    return order(name, amount=Decimal(amount), **other)


# What the second batch becomes: rows, and what silver then holds of O1 (1 in the first batch, 2 in the second) and O2.
REPLACED = {
    "the same again": ([priced("O1", 2, updated_at=LATER), priced("O2", 5)], {"O1": 2, "O2": 5}, (2, 0, 2, 0, 0)),
    "corrected without a new stamp": (
        [priced("O1", 3, updated_at=LATER), priced("O2", 5)], {"O1": 3, "O2": 5}, (2, 1, 1, 0, 0),
    ),
    "older than it was": (
        [priced("O1", 4, updated_at=at("2026-10-01 09:00:00")), priced("O2", 5)], {"O1": 4, "O2": 5}, (2, 1, 1, 0, 0),
    ),
    "older than the first batch": (
        [priced("O1", 4, updated_at=at("2026-09-01")), priced("O2", 5)], {"O1": 1, "O2": 5}, (2, 0, 1, 0, 1),
    ),
    "gone, and known from the first batch": ([priced("O2", 5)], {"O1": 1, "O2": 5}, (1, 0, 1, 0, 1)),
    "gone, and known from nowhere else": ([priced("O1", 2, updated_at=LATER)], {"O1": 2}, (1, 0, 1, 1, 0)),
    "all gone": ([], {"O1": 1}, (0, 0, 0, 1, 1)),
    "bad now": ([priced("O1", -1, updated_at=LATER), priced("O2", -1)], {"O1": 1}, (2, 0, 0, 1, 1)),
}  # fmt: skip


QUICK = ("gone, and known from the first batch",)


@pytest.mark.parametrize(
    ("kind", "full_refresh"),
    [
        pytest.param(kind, refresh, marks=[] if kind in QUICK and not refresh else pytest.mark.slow)
        for kind in REPLACED
        for refresh in (False, True)
    ],
)
def test_batch_that_was_replaced_supersedes_what_it_gave_before(
    spark: SparkSession, lake: str, kind: str, full_refresh: bool
) -> None:
    again, wanted, counted = REPLACED[kind]
    land(spark, ORDERS, "b1", [priced("O1", 1)])
    land(spark, ORDERS, "b2", [priced("O1", 2, updated_at=LATER), priced("O2", 5)])
    build(SILVER)
    land(spark, ORDERS, "b2", again)

    made = build(SILVER, "run-2", full_refresh=full_refresh)

    assert amounts(spark) == wanted
    names = ("read", "written", "unchanged", "deleted", "reinstated")
    if not full_refresh:
        assert tuple(made[name] for name in names) == counted
    assert made["deleted"] == counted[3]
    assert build(SILVER, "run-3", full_refresh=True)["bytes_written"] == 0, "a refresh finds nothing else"


@pytest.mark.slow
def test_quarantined_rows_of_a_batch_that_is_empty_now_leave(spark: SparkSession, lake: str) -> None:
    land(spark, ORDERS, "b1", [priced("O1", 1), priced("Q1", -1)])
    build(SILVER)
    assert len(rows("quarantine.orders")) == 1
    land(spark, ORDERS, "b1", [])

    build(SILVER, "run-2")

    assert (rows(SILVER), rows("quarantine.orders")) == ([], [])


def test_full_refresh_with_a_mended_reader_leaves_no_row_of_the_broken_one(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(raw: DataFrame) -> DataFrame:
        amount = (F.col("amount") + F.length("order_id")).cast("decimal(18,2)")
        key = F.regexp_replace("order_id", "^O19", "X19")
        return orders.from_snowflake(raw).withColumns({"amount": amount, "order_id": key})

    land(spark, ORDERS, "b1", [priced(f"O{n}", n + 1) for n in range(20)])
    with monkeypatch.context() as patch:
        patch.setitem(orders.READERS, ORDERS, broken)
        build(SILVER)
    assert (amounts(spark)["O1"], "X19" in amounts(spark)) == (4, True)

    made = build(SILVER, "run-2", full_refresh=True)

    assert amounts(spark) == {f"O{n}": n + 1 for n in range(20)}
    assert (made["read"], made["written"], made["deleted"]) == (20, 20, 1)


@pytest.mark.parametrize("how", [pytest.param("full refresh", marks=pytest.mark.slow), "read again"])
def test_row_that_a_tightened_rule_refuses_is_in_quarantine_and_no_longer_in_silver(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    batch = [priced("O1", 1), priced("O2", 50)]
    land(spark, ORDERS, "b1", batch)
    build(SILVER)

    def tightened(suite: Any) -> Column:
        return F.when(F.col("amount") > 10, F.lit("amount too_large")).otherwise("")

    monkeypatch.setattr(rules, "broken", tightened)
    if how == "read again":
        land(spark, ORDERS, "b2", batch)  # as by the overlap of the next window

    made = build(SILVER, "run-2", full_refresh=how == "full refresh")

    assert amounts(spark) == {"O1": 1}
    assert {row["rule"] for row in rows("quarantine.orders")} == {"amount too_large"}
    assert (made["quarantined"], made["deleted"]) == (1, 1)


def test_great_loss_is_refused_before_anything_is_written_and_can_be_accepted(spark: SparkSession, lake: str) -> None:
    kept = [priced(f"O{n}", 1) for n in range(20)]
    land(spark, ORDERS, "b1", kept)
    land(spark, ORDERS, "b2", [priced(f"P{n}", 1) for n in range(11)])
    build(SILVER)
    land(spark, ORDERS, "b2", [priced("Q1", -1)])
    before = version(SILVER)

    with pytest.raises(DataError, match=r"11 of 31 rows are no longer in bronze.*--accept fewer_rows"):
        build(SILVER, "run-2")

    assert version(SILVER) == before
    with pytest.raises(AssertionError, match="there is no table"):
        version("quarantine.orders")
    assert build(SILVER, "run-2", accept=("fewer_rows",))["deleted"] == 11
    assert len(rows(SILVER)) == 20


@pytest.mark.slow
def test_a_handful_or_a_small_share_may_leave(spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upsert, "HANDFUL", 1)
    land(spark, ORDERS, "b1", [priced(f"O{n}", 1) for n in range(18)])
    land(spark, ORDERS, "b2", [priced("P1", 1), priced("P2", 1)])
    build(SILVER)
    land(spark, ORDERS, "b2", [])

    assert build(SILVER, "run-2")["deleted"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("arrival", [(2, 1, 0), (0, 1, 2), (1, 2, 0)])
def test_of_events_of_the_same_time_kafkas_last_wins_in_whatever_order_they_come(
    spark: SparkSession, lake: str, arrival: tuple[int, ...]
) -> None:
    kafka = at("2026-10-01 10:00:00")
    events = [
        order_event("O1", status=status, timestamp=kafka, partition=0, offset=offset)
        for offset, status in enumerate(("SHIPPED", "PLACED", "PAID"))
    ]
    land(spark, ORDERS, "b1", [order("S1")])
    for offset in arrival:
        land(spark, EVENTS, f"orders-{offset:012}", [events[offset]])
        build(SILVER, f"run-{offset}")

    assert by(SILVER, "order_id", "status")["O1"] == "PAID"
    assert build(SILVER, "run-9", full_refresh=True)["written"] == 0


@pytest.mark.slow
def test_bronze_is_searched_only_for_keys_that_the_table_can_not_tell(
    spark: SparkSession, lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    land(spark, ORDERS, "b1", [priced(f"O{n}", 1) for n in range(5)])
    build(SILVER)
    land(spark, ORDERS, "b2", [priced("O1", 1), priced("O2", 2, updated_at=LATER), priced("O9", 1)])
    build(SILVER, "run-2")
    assert "looks up" not in capsys.readouterr().out

    land(spark, ORDERS, "b3", [priced("O3", 7)])
    build(SILVER, "run-3")

    assert "looks up 1 keys in all of bronze" in capsys.readouterr().out
    assert amounts(spark)["O3"] == 7


@pytest.mark.slow
def test_account_that_is_seen_again_after_its_tombstone_is_live_again(spark: SparkSession, lake: str) -> None:
    silver = "silver.salesforce_accounts"
    states = []
    for number, deleted in enumerate(("false", "true", "false")):
        land(spark, ACCOUNTS, f"b{number}", [account(is_deleted=deleted)])
        build(silver, f"run-{number}")
        states.append([row["is_deleted"] for row in rows(silver)])

    assert states == [[False], [True], [False]]
    assert record(silver)["written"] == 1
