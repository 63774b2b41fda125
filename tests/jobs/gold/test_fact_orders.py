"""Orders in dollars, at the rate of the last day on or before the order; every value worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.gold import fact_orders
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests.jobs.lakehouse import build, collect, frame, put, rows, schema_of, silver_order, silver_rate

ORDER = silver_order()
IN_DOLLARS = {"amount_native": Decimal("10.00"), "amount_usd": Decimal("11.00"), "fx_as_of_date": ORDER["order_date"]}
GOOD = [{**ORDER, **IN_DOLLARS}]

# A Thursday and a Friday; Monday follows. 2 October 2026 is a Friday.
RATES = [
    silver_rate("2026-10-01", "GBP", "1.250000000000"),
    silver_rate("2026-10-02", "GBP", "1.500000000000"),
    silver_rate("2026-10-05", "GBP", "2.000000000000"),
    silver_rate("2026-10-02", "JPY", "0.007812500000"),
    silver_rate("2026-10-02", "USD", "1.000000000000"),
    silver_rate("2026-10-02", "EUR", "1.100000000000"),
]


def compute(
    spark: SparkSession, orders: list[dict[str, Any]], rates: list[dict[str, Any]] = RATES
) -> list[dict[str, Any]]:
    inputs = {
        "silver.orders": frame(spark, orders, schema_of("silver.orders")),
        "silver.fx_rates": frame(spark, rates, schema_of("silver.fx_rates")),
    }
    return sorted(collect(fact_orders.compute(inputs)), key=lambda row: str(row["order_id"]))


def pound_order(day: str, amount: str = "10.00") -> dict[str, Any]:
    return silver_order(day, order_date=date.fromisoformat(day), currency="GBP", amount=Decimal(amount))


def test_rate_is_of_the_last_day_on_or_before_the_order(spark: SparkSession) -> None:
    days = ["2026-09-30", "2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05", "2026-12-31"]

    found = compute(spark, [pound_order(day) for day in days])

    assert [(row["order_id"], str(row["fx_as_of_date"]), row["amount_usd"]) for row in found] == [
        ("2026-09-30", "None", None),  # never a later day's rate
        ("2026-10-01", "2026-10-01", Decimal("12.50")),
        ("2026-10-02", "2026-10-02", Decimal("15.00")),
        ("2026-10-03", "2026-10-02", Decimal("15.00")),  # Saturday takes Friday's
        ("2026-10-04", "2026-10-02", Decimal("15.00")),
        ("2026-10-05", "2026-10-05", Decimal("20.00")),
        ("2026-12-31", "2026-10-05", Decimal("20.00")),
    ]


@pytest.mark.parametrize(
    ("currency", "amount", "dollars"),
    [
        ("USD", "10.01", "10.01"),
        ("EUR", "10.01", "11.01"),  # 11.011
        ("EUR", "10.05", "11.06"),  # 11.055, half up
        ("JPY", "1000.00", "7.81"),  # 7.8125
        ("GBP", "0.00", "0.00"),
        ("GBP", "9999999999999999.99", "14999999999999999.99"),  # ....985
    ],
)
def test_dollars_are_the_amount_times_the_rate_to_the_cent(
    spark: SparkSession, currency: str, amount: str, dollars: str
) -> None:
    order = silver_order(currency=currency, amount=Decimal(amount), order_date=date(2026, 10, 2))

    (row,) = compute(spark, [order])

    assert (row["amount_native"], row["amount_usd"]) == (Decimal(amount), Decimal(dollars))


def test_dollars_are_rounded_once(spark: SparkSession) -> None:
    """100 x 0.000049999999 = 0.0049999999: no cent. Rounded to six places before, it would be one."""
    order = silver_order(currency="IDR", amount=Decimal("100.00"), order_date=date(2026, 10, 2))

    (row,) = compute(spark, [order], [silver_rate("2026-10-02", "IDR", "0.000049999999")])

    assert row["amount_usd"] == Decimal("0.00")


def test_currency_without_quotes_keeps_its_row_without_dollars(spark: SparkSession) -> None:
    order = silver_order(currency="XXX", amount=Decimal("5.00"))

    (row,) = compute(spark, [order])

    assert (row["currency"], row["amount_native"]) == ("XXX", Decimal("5.00"))
    assert (row["amount_usd"], row["fx_as_of_date"]) == (None, None)


def test_no_order_is_lost_or_doubled(spark: SparkSession) -> None:
    orders = [silver_order(f"O{n}", currency=ccy) for n, ccy in enumerate(["GBP", "EUR", "XXX", "GBP", "USD"])]

    assert [row["order_id"] for row in compute(spark, orders)] == [order["order_id"] for order in orders]


def test_step_publishes_what_the_gate_passed_and_its_suite_accepts_it(spark: SparkSession, lake: str) -> None:
    orders = [pound_order("2026-10-04"), silver_order("O2", currency="XXX", order_date=date(2026, 9, 1))]
    passed = {"silver.orders": put("silver.orders", orders), "silver.fx_rates": put("silver.fx_rates", RATES)}
    gate_verdicts.record_passed(Run("run-1", "gate"), passed)

    made = build("gold.fact_orders")

    assert [(row["order_id"], row["amount_usd"], row["order_month"]) for row in rows(spark, "gold.fact_orders")] == [
        ("2026-10-04", Decimal("15.00"), "2026-10"),
        ("O2", None, "2026-09"),
    ]
    assert (made["inputs"], made["written"]) == (passed, 2)
