"""Gold computed from changes equals gold computed whole, change by change; and it is computed from changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.lake import delta, delta_log, gated, settings, tables
from jobs.lake.run import Run
from tests.jobs.lakehouse import (
    at,
    build,
    change,
    collect,
    files,
    rows,
    silver_account,
    silver_order,
    silver_rate,
    version,
)

ORDERS, RATES, ACCOUNTS = "silver.orders", "silver.fx_rates", "silver.salesforce_accounts"
FACTS, CUSTOMERS = "gold.fact_orders", "gold.dim_customers"
ONE, TWO = "001000000000001AAA", "001000000000002AAA"


def pound(order_id: str, day: str, **other: Any) -> dict[str, Any]:
    return silver_order(order_id, order_date=date.fromisoformat(day), currency="GBP", **other)


@pytest.fixture
def silver(spark: SparkSession, lake: str) -> None:
    """Orders of two months in two currencies, rates of some days, an account; gold is built from them."""
    change(
        spark,
        ORDERS,
        [
            pound("O1", "2026-09-30"),
            pound("O2", "2026-10-01", customer_id="C9"),
            pound("O3", "2026-10-03"),
            pound("O4", "2026-10-06", customer_id="C9"),
            silver_order("O5", currency="JPY", order_date=date(2026, 10, 6)),
            silver_order("O6", currency="XXX", order_date=date(2026, 8, 1)),
        ],
    )
    change(
        spark,
        RATES,
        [
            silver_rate("2026-10-01", "GBP", "1.25"),
            silver_rate("2026-10-05", "GBP", "1.5"),
            silver_rate("2026-10-01", "JPY", "0.01"),
        ],
    )
    change(spark, ACCOUNTS, [silver_account(ONE, account_number="C1"), silver_account(TWO, account_number="C2")])
    publish()


def publish() -> dict[str, dict[str, Any]]:
    """Lets the gate pass what silver is now and builds gold; gives the ledger's records."""
    gated.passed(Run("run", "gate"), {name: version(name) for name in (ORDERS, RATES, ACCOUNTS)})
    return {name: build(name, "run") for name in (FACTS, CUSTOMERS)}


def whole(spark: SparkSession, table: str) -> list[dict[str, Any]]:
    """The table as its whole inputs say."""
    recipe = import_module(f"jobs.{table}")
    inputs = {name: delta.read(spark, settings.lake().uri(name)) for name in tables.table(table).depends_on}
    return sorted(collect(recipe.compute(inputs).select(recipe.SCHEMA.names)), key=str)


def _orders(*rows: dict[str, Any], gone: tuple[str, ...] = ()) -> Callable[[SparkSession], int]:
    return lambda spark: change(spark, ORDERS, rows, gone)


def _rates(*rows: dict[str, Any]) -> Callable[[SparkSession], int]:
    return lambda spark: change(spark, RATES, rows)


def _accounts(*rows: dict[str, Any], gone: tuple[str, ...] = ()) -> Callable[[SparkSession], int]:
    return lambda spark: change(spark, ACCOUNTS, rows, gone)


@pytest.mark.usefixtures("silver")
@pytest.mark.parametrize(
    ("happens", "facts", "customers"),
    [
        (_orders(pound("O7", "2026-10-02", amount=Decimal("3.00"))), ["O7"], ["C1"]),
        (_orders(pound("O1", "2026-09-30", amount=Decimal("99.00"))), ["O1"], ["C1"]),
        (_orders(pound("O3", "2026-09-02")), ["O3"], ["C1"]),
        (_orders(pound("O2", "2026-10-01", customer_id="C8")), ["O2"], ["C8", "C9"]),
        (_orders(pound("O2", "2026-10-01"), pound("O4", "2026-10-06")), ["O2", "O4"], ["C1", "C9"]),
        (_orders(pound("O1", "2026-09-30"), gone=("O1",)), ["O1"], ["C1"]),
        (_rates(silver_rate("2026-10-02", "GBP", "1.75")), ["O3"], []),
        (_rates(silver_rate("2026-10-01", "GBP", "1.30")), ["O2", "O3"], []),
        (_rates(silver_rate("2026-10-05", "GBP", "1.60"), silver_rate("2026-10-06", "JPY", "0.02")), ["O4", "O5"], []),
        (_rates(silver_rate("2026-07-01", "XXX", "2.0")), ["O6"], []),
        (_rates({**silver_rate("2026-10-01", "GBP", "1.25"), "published_at": at("2026-10-09")}), [], []),
        (_accounts(silver_account("001000000000009AAA", account_number="C9")), [], ["C9"]),
        (_accounts(silver_account(ONE, account_number="C7")), [], ["C1", "C7"]),
        (_accounts(silver_account(TWO, account_number="C2"), gone=(TWO,)), [], ["C2"]),
        (_accounts(silver_account(TWO, account_number="C1", system_modstamp=at("2026-10-05"))), [], ["C1", "C2"]),
    ],
    ids=[
        "new order", "changed amount", "order moves to another month", "order moves to a customer nobody knew",
        "inferred customer loses its orders", "order vanishes", "rate appears between two", "rate is revised",
        "rates of two currencies", "first rate of a currency", "rate is published again unchanged",
        "inferred customer gets an account", "account gets another number", "account vanishes",
        "two accounts with one number",
    ],
)  # fmt: skip
def test_changes_bring_gold_to_what_a_rebuild_gives_and_touch_only_what_they_affect(
    spark: SparkSession, happens: Callable[[SparkSession], int], facts: list[str], customers: list[str]
) -> None:
    happens(spark)

    made = publish()

    assert rows(spark, FACTS) == whole(spark, FACTS)
    assert rows(spark, CUSTOMERS) == whole(spark, CUSTOMERS)
    assert not made[FACTS]["whole"]
    assert not made[CUSTOMERS]["whole"]
    assert made[FACTS]["read"] + made[FACTS]["deleted"] == len(facts)
    assert made[CUSTOMERS]["read"] + made[CUSTOMERS]["deleted"] == len(customers)


@pytest.mark.usefixtures("silver")
def test_full_refresh_computes_the_whole_and_changes_nothing(spark: SparkSession) -> None:
    before = files(FACTS)

    made = build(FACTS, "run", full_refresh=True)

    assert (made["whole"], made["read"], made["unchanged"]) == (True, 6, 6)
    assert files(FACTS) == before


@pytest.mark.usefixtures("silver")
def test_other_code_computes_the_whole(spark: SparkSession) -> None:
    assert build(FACTS, "run", code="other")["whole"]


@pytest.mark.usefixtures("silver")
def test_gold_that_was_restored_is_brought_up_to_date_again(spark: SparkSession) -> None:
    first = version(FACTS)
    change(spark, ORDERS, [pound("O1", "2026-09-30", amount=Decimal("99.00"))])
    publish()
    spark.sql(f"RESTORE delta.`{settings.lake().uri(FACTS)}` VERSION AS OF {first}")
    assert delta_log.last_inputs(settings.lake().uri(FACTS), FACTS) != {ORDERS: version(ORDERS), RATES: version(RATES)}

    made = publish()

    assert rows(spark, FACTS) == whole(spark, FACTS)
    assert made[FACTS]["written"] == 1
