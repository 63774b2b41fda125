"""After each change, gold computed from changes equals gold computed from whole inputs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from jobs.lake import settings, tables
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, objects
from tests import lakes
from tests.jobs.lakehouse import (
    at,
    build,
    change,
    collect,
    files,
    frame,
    rows,
    schema_of,
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


@pytest.fixture(scope="module")
def original(spark: SparkSession, lake_environment: dict[str, str]) -> Iterator[str]:
    """Orders of two months in two currencies, rates of some days, an account; gold is built from them."""
    with lakes.empty(lake_environment) as bucket:
        _two_months()
        yield bucket


@pytest.fixture
def silver(original: str, lake_environment: dict[str, str]) -> Iterator[None]:
    """A lake with these."""
    with lakes.copy(original, lake_environment):
        yield
    lakes.forget_frames()


def _two_months() -> None:
    change(
        ORDERS,
        [
            pound("O1", "2026-09-30"),
            pound("O2", "2026-10-01", customer_id="C9"),
            pound("O3", "2026-10-03"),
            pound("O4", "2026-10-06", customer_id="C9"),
            silver_order("O5", currency="JPY", order_date=date(2026, 10, 6)),
            silver_order("O6", currency="XXX", order_date=date(2026, 8, 1)),
            silver_order("O8", currency="HRK", order_date=date(2026, 10, 3)),  # which the euro's rate values
            silver_order("O9", currency="HRK", order_date=date(2022, 12, 30)),  # and then it did not
        ],
    )
    change(
        RATES,
        [
            silver_rate("2026-10-01", "GBP", "1.25"),
            silver_rate("2026-10-05", "GBP", "1.5"),
            silver_rate("2026-10-01", "JPY", "0.01"),
        ],
    )
    change(ACCOUNTS, [silver_account(ONE, account_number="C1"), silver_account(TWO, account_number="C2")])
    publish()


def publish(*names: str) -> dict[str, dict[str, Any]]:
    """Lets the gate pass silver as it is and builds the named gold tables, or all; returns the ledger's records."""
    gate_verdicts.record_passed(Run("run", "gate"), {name: version(name) for name in (ORDERS, RATES, ACCOUNTS)})
    return {name: build(name, "run") for name in names or (FACTS, CUSTOMERS)}


def whole(spark: SparkSession, table: str) -> list[dict[str, Any]]:
    """The table computed from its whole inputs."""
    module = import_module(f"jobs.{table}")
    inputs = {name: snapshot.read(spark, settings.lake().uri(name)) for name in tables.table(table).depends_on}
    return sorted(collect(module.compute(inputs).select(module.SCHEMA.names)), key=str)


@pytest.mark.slow
@pytest.mark.usefixtures("silver")
def test_changed_orders_give_the_same_gold_as_a_rebuild_and_no_others_are_computed(spark: SparkSession) -> None:
    new = pound("O7", "2026-10-02", amount=Decimal("3.00"))
    dearer = pound("O1", "2026-09-30", amount=Decimal("99.00"))
    to_another_month = pound("O3", "2026-09-02")
    to_a_customer_nobody_knew = pound("O2", "2026-10-01", customer_id="C8")
    vanished = silver_order("O5", currency="JPY", order_date=date(2026, 10, 6))
    change(ORDERS, [new, dearer, to_another_month, to_a_customer_nobody_knew, vanished], gone=["O5"])

    made = publish()

    assert_as_rebuilt(spark, made[FACTS], affected=["O1", "O2", "O3", "O5", "O7"])
    assert_as_rebuilt(spark, made[CUSTOMERS], affected=["C1", "C8", "C9"])  # C9 has another order


@pytest.mark.usefixtures("silver")
@pytest.mark.slow
def test_changed_rates_revalue_exactly_the_orders_that_they_apply_to(spark: SparkSession) -> None:
    change(
        RATES,
        [
            silver_rate("2026-10-01", "GBP", "1.30"),  # revised: O2 of the first
            silver_rate("2026-10-02", "GBP", "1.75"),  # between two: O3 of the third
            silver_rate("2026-10-06", "JPY", "0.02"),  # the newest: O5
            silver_rate("2026-07-01", "XXX", "2.0"),  # the first of its currency: O6 of August, though it is too old
            silver_rate("2022-12-01", "EUR", "1.1"),  # the first of the euro: O8
            {**silver_rate("2026-10-05", "GBP", "1.5"), "published_at": at("2026-10-09")},  # as it was
        ],
    )
    made = publish(FACTS)

    assert_as_rebuilt(spark, made[FACTS], affected=["O2", "O3", "O5", "O6", "O8"])


@pytest.mark.usefixtures("silver")
@pytest.mark.slow
def test_gold_is_built_from_rates_that_have_no_quotes_yet(spark: SparkSession) -> None:
    """After an upgrade the refresh of streamed orders may come before the daily run, which gives silver its columns."""
    earlier = [name for name in schema_of(RATES).names if name not in ("per_euro", "usd_per_euro", "is_withdrawn")]
    held = snapshot.read(spark, settings.lake().uri(RATES)).select(earlier)
    content = [row.asDict() for row in held.collect()]
    objects.delete_prefix("silver/fx_rates/")
    before = rows(FACTS)
    schema = StructType([schema_of(RATES)[name] for name in earlier])
    writes.create(spark, settings.lake().uri(RATES), schema, None, "as an earlier release made it")
    writes.append(frame(spark, content, schema), settings.lake().uri(RATES), CommitRecord())
    publish(FACTS)
    change(ORDERS, [pound("O7", "2026-10-02")])

    made = publish(FACTS)

    assert not made[FACTS]["whole"]
    assert [row for row in rows(FACTS) if row["order_id"] != "O7"] == before


@pytest.mark.usefixtures("silver")
@pytest.mark.slow
def test_changed_accounts_and_customers_without_orders_give_the_same_gold_as_a_rebuild(spark: SparkSession) -> None:
    inferred_no_more = silver_account("001000000000009AAA", account_number="C9")
    other_number = silver_account(ONE, account_number="C7")  # C1 is known from orders still
    vanished = silver_account(TWO, account_number="C2")
    change(ACCOUNTS, [inferred_no_more, other_number, vanished], gone=[TWO])
    second_of_a_number = silver_account("001000000000003AAA", account_number="C7", system_modstamp=at("2026-10-05"))
    change(ACCOUNTS, [second_of_a_number])
    change(ORDERS, [pound(name, "2026-10-01", customer_id="C9") for name in ("O1", "O3")])  # not all of C1's

    made = publish(CUSTOMERS)

    assert_as_rebuilt(spark, made[CUSTOMERS], affected=["C1", "C2", "C7", "C9"])


def assert_as_rebuilt(spark: SparkSession, made: dict[str, Any], *, affected: list[str]) -> None:
    """The table equals a rebuild, and the step computed these keys and no others."""
    assert rows(made["table_name"]) == whole(spark, made["table_name"])
    assert not made["whole"]
    assert made["read"] + made["deleted"] == len(affected)


@pytest.mark.slow
@pytest.mark.usefixtures("silver")
def test_full_refresh_computes_the_whole_and_changes_nothing(spark: SparkSession) -> None:
    before = files(FACTS)

    made = build(FACTS, "run", full_refresh=True)

    assert (made["whole"], made["read"], made["unchanged"]) == (True, 8, 8)
    assert files(FACTS) == before


@pytest.mark.slow
@pytest.mark.usefixtures("silver")
def test_other_code_computes_the_whole(spark: SparkSession) -> None:
    assert build(FACTS, "run", code="other")["whole"]


@pytest.mark.slow
@pytest.mark.usefixtures("silver")
def test_restored_gold_has_the_inputs_of_the_version_that_it_went_back_to(spark: SparkSession) -> None:
    uri, first = settings.lake().uri(FACTS), version(FACTS)

    def inputs() -> dict[str, int]:
        made = log.newest_of(uri, FACTS)
        assert made
        return dict(made.inputs)

    before = inputs()
    writes.commit_nothing(spark, uri, CommitRecord.of(Run("run", FACTS), inputs={ORDERS: 99, RATES: 99}))
    assert inputs() == {ORDERS: 99, RATES: 99}

    spark.sql(f"RESTORE delta.`{uri}` VERSION AS OF {first}")

    assert inputs() == before == {ORDERS: version(ORDERS), RATES: version(RATES)}
