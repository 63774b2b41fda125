"""`silver.orders` from both of its sources: the newest state of an order wins, wherever it came from."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from dq import conservation, suite
from jobs.lake import settings
from jobs.lake.delta import snapshot
from jobs.lake.errors import LakeError
from jobs.lake.run import Run
from jobs.lake.state import objects
from tests.jobs.lakehouse import EVENTS, ORDERS, at, build, by, collect, land, order, order_event, rows, version

SILVER = "silver.orders"
FIRST = (ORDERS, [order("O1", updated_at=at("2026-10-01 08:00:00")), order("S1")])
SECOND = (EVENTS, [order_event("O1", status="PAID", event_timestamp=at("2026-10-01 09:00:00")), order_event("K1")])
THIRD = (ORDERS, [order("O1", status="SHIPPED", updated_at=at("2026-10-01 10:00:00"))])


@pytest.mark.parametrize(
    "arrivals",
    [pytest.param((FIRST, SECOND, THIRD), marks=pytest.mark.slow, id="in order"),
     pytest.param((THIRD, SECOND, FIRST), id="reversed")],
)  # fmt: skip
def test_newest_state_wins_in_whatever_order_the_sources_are_read(
    spark: SparkSession, lake: str, arrivals: tuple[Any, ...]
) -> None:
    for number, (table, batch) in enumerate(arrivals):
        land(spark, table, f"b{number}", batch)
        if number:  # the first two come together
            build(SILVER, f"run-{number}")

    states = {row["order_id"]: (row["status"], row["source"], row["updated_at"]) for row in rows(SILVER)}
    assert states == {
        "O1": ("SHIPPED", "snowflake", at("2026-10-01 10:00:00")),
        "S1": ("PLACED", "snowflake", at("2026-10-01 08:00:00")),
        "K1": ("PLACED", "kafka", at("2026-10-01 08:00:00")),
    }


@pytest.mark.slow
def test_stream_that_has_not_started_blocks_nothing(spark: SparkSession, lake: str) -> None:
    land(spark, ORDERS, "b1", [order("O1")])

    assert build(SILVER)["inputs"] == {ORDERS: 1}

    land(spark, EVENTS, "orders-000000000001", [order_event("K1")])
    assert build(SILVER, "run-2")["read_by_source"] == {EVENTS: 1}
    assert by(SILVER, "order_id", "source") == {"O1": "snowflake", "K1": "kafka"}
    assert build(SILVER, "run-3", full_refresh=True)["unchanged"] == 2, "read again in one step, it is the same"


def test_streams_table_that_was_read_and_is_gone_stops_silver(spark: SparkSession, lake: str) -> None:
    land(spark, ORDERS, "b1", [order("O1")])
    land(spark, EVENTS, "orders-000000000001", [order_event("K1")])
    build(SILVER)
    objects.delete_prefix("bronze/orders_events/")

    with pytest.raises(LakeError, match=r"bronze\.orders_events has no table"):
        build(SILVER, "run-2")


def test_event_that_breaks_a_rule_of_silver_is_in_quarantine(spark: SparkSession, lake: str) -> None:
    land(spark, ORDERS, "b1", [order("O1")])
    land(spark, EVENTS, "orders-000000000002", [order_event("K1"), _bad_event("K2")])

    record = build(SILVER)

    assert (record["written"], record["quarantined"]) == (2, 1)
    (kept,) = collect(snapshot.read(spark, settings.lake().uri("quarantine.orders")))
    assert (kept["source_table"], kept["batch_id"]) == (EVENTS, "orders-000000000002")


@pytest.mark.slow
def test_batches_are_named_if_only_new_ones_are_read_and_not_if_all_are(spark: SparkSession, lake: str) -> None:
    land(spark, ORDERS, "b1", [order("O1")])
    land(spark, EVENTS, "orders-000000000001", [_bad_event("K1")])
    first = build(SILVER)
    land(spark, EVENTS, "orders-000000000002", [_bad_event("K2")])
    second = build(SILVER, "run-2")
    whole = build(SILVER, "run-3", full_refresh=True)

    assert [record["batches"] for record in (first, second, whole)] == [
        {ORDERS: None, EVENTS: None},
        {EVENTS: ["orders-000000000002"]},
        {ORDERS: None, EVENTS: None},
    ]
    assert by("quarantine.orders", "batch_id", "run_id") == {
        "orders-000000000001": "run-1",
        "orders-000000000002": "run-2",
    }
    judged = conservation.judge(suite.load(SILVER), version(SILVER), None, Run("run-3", "gate"))
    assert [judgement.success for judgement in judged if judgement.rule is conservation.CONSERVATION] == [True]


def _bad_event(order_id: str) -> dict[str, Any]:
    return order_event(order_id, order_date=at("1999-01-01").date())
