"""Customers by account number: a join loses no fact and doubles none."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.gold import dim_customers
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests.jobs.lakehouse import at, build, collect, frame, put, rows, schema_of, silver_account, silver_order

GOOD = [{"id": "C1", "name": "One", "is_deleted": False, "is_inferred": True}]

ONE, TWO, THREE = (f"00100000000000{n}AAA" for n in (1, 2, 3))


def compute(spark: SparkSession, accounts: list[dict[str, Any]], orders: list[dict[str, Any]]) -> dict[str, Any]:
    """The customers by id, which must be unique."""
    inputs = {
        "silver.salesforce_accounts": frame(spark, accounts, schema_of("silver.salesforce_accounts")),
        "silver.orders": frame(spark, orders, schema_of("silver.orders")),
    }
    found = collect(dim_customers.compute(inputs))
    assert len({row["id"] for row in found}) == len(found)
    return {row["id"]: row for row in found}


def test_account_becomes_a_customer_under_its_number(spark: SparkSession) -> None:
    customer = compute(spark, [silver_account(ONE, account_number="C1", name="One Ltd")], [])["C1"]

    assert (customer["salesforce_id"], customer["name"], customer["is_inferred"]) == (ONE, "One Ltd", False)


def test_customer_known_from_orders_only_is_inferred_once(spark: SparkSession) -> None:
    orders = [
        silver_order("O1", customer_id="C1"),
        silver_order("O2", customer_id="C9"),
        silver_order("O3", customer_id="C9"),
    ]

    found = compute(spark, [silver_account(ONE, account_number="C1")], orders)

    assert {id_: row["is_inferred"] for id_, row in found.items()} == {"C1": False, "C9": True}
    assert found["C9"]["name"] == "Unknown customer C9"
    assert found["C9"]["salesforce_id"] is None


def test_no_order_is_lost_by_the_join(spark: SparkSession) -> None:
    orders = [silver_order(f"O{n}", customer_id=f"C{n}") for n in range(5)]

    assert {order["customer_id"] for order in orders} <= set(compute(spark, [silver_account(ONE)], orders))


def test_account_created_again_under_the_same_number_is_one_customer_and_the_live_one_wins(spark: SparkSession) -> None:
    deleted = silver_account(ONE, account_number="C1", is_deleted=True, system_modstamp=at("2026-10-09"))
    live = silver_account(TWO, account_number="C1", is_deleted=False, system_modstamp=at("2026-10-01"))

    assert compute(spark, [deleted, live], [])["C1"]["salesforce_id"] == TWO


def test_newest_of_several_live_accounts_with_one_number_wins(spark: SparkSession) -> None:
    accounts = [
        silver_account(ONE, system_modstamp=at("2026-10-01")),
        silver_account(THREE, system_modstamp=at("2026-10-02")),
        silver_account(TWO, system_modstamp=at("2026-10-02")),
    ]

    assert compute(spark, accounts, [])["C1"]["salesforce_id"] == THREE  # in a tie, the greater id wins
    assert compute(spark, accounts[::-1], [])["C1"]["salesforce_id"] == THREE


def test_deleted_account_stays_a_customer(spark: SparkSession) -> None:
    assert compute(spark, [silver_account(ONE, is_deleted=True)], [])["C1"]["is_deleted"] is True


@pytest.mark.slow
def test_step_publishes_what_the_gate_passed_and_its_suite_accepts_it(spark: SparkSession, lake: str) -> None:
    passed = {
        "silver.salesforce_accounts": put("silver.salesforce_accounts", [silver_account(ONE)]),
        "silver.orders": put("silver.orders", [silver_order(customer_id="C9")]),
    }
    gate_verdicts.record_passed(Run("run-1", "gate"), passed)

    made = build("gold.dim_customers")

    assert [row["id"] for row in rows("gold.dim_customers")] == ["C1", "C9"]
    assert (made["inputs"], made["written"]) == (passed, 2)
