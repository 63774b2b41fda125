"""A release with other columns meets a lake of the release before: in silver, gold, quarantine, bronze and streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType, StructType

from jobs.bronze import salesforce_accounts
from jobs.gold import fact_orders
from jobs.lake import ingest, quarantine, settings, tables
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.errors import SchemaContractError
from jobs.lake.run import Run
from jobs.lake.schema import column, text
from jobs.lake.state import gate_verdicts, objects
from jobs.silver import orders
from jobs.sources.kafka import batches
from jobs.sources.kafka.topic import of_table
from jobs.sources.salesforce.sobject import SObject, column_name
from tests.jobs.lakehouse import (
    ACCOUNTS,
    EVENTS,
    ORDERS,
    account,
    at,
    build,
    by,
    frame,
    land,
    order,
    put,
    schema_of,
    silver_order,
    silver_rate,
    version,
)

SILVER, GOLD = "silver.orders", "gold.fact_orders"
LATER = "2026-10-02 08:00:00"
CHANNEL = text("channel", "first letter of the order's number")


def without(schema: StructType, name: str) -> StructType:
    return StructType([field for field in schema if field.name != name])


def changed(schema: StructType, name: str, kind: Any) -> StructType:
    return StructType([column(name, kind, "c") if field.name == name else field for field in schema])


def with_channel(raw: DataFrame) -> DataFrame:
    return orders.from_snowflake(raw).withColumn("channel", F.substring("order_id", 1, 1))


@pytest.fixture
def wider_silver(monkeypatch: pytest.MonkeyPatch, spark: SparkSession, lake: str) -> None:
    """Silver as the release before made it; then the module has one more column."""
    land(spark, ORDERS, "b1", [order("O1"), order("O2")])
    build(SILVER)
    land(spark, ORDERS, "b2", [order("O2", status="PAID", updated_at=at(LATER)), order("O3")])
    monkeypatch.setattr(orders, "SCHEMA", StructType([*orders.SCHEMA, CHANNEL]))
    monkeypatch.setitem(orders.READERS, ORDERS, with_channel)


@pytest.mark.usefixtures("wider_silver")
def test_new_column_of_silver_is_filled_from_then_on(spark: SparkSession) -> None:
    made = build(SILVER, "run-2")

    assert (made["read"], made["written"]) == (2, 2), "only what is new is read"
    assert by(SILVER, "order_id", "channel") == {"O1": None, "O2": "O", "O3": "O"}


@pytest.mark.slow
@pytest.mark.usefixtures("wider_silver")
def test_full_refresh_fills_a_new_column_of_silver_in_older_rows(spark: SparkSession) -> None:
    build(SILVER, "run-2", full_refresh=True)

    assert by(SILVER, "order_id", "channel") == {"O1": "O", "O2": "O", "O3": "O"}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (changed(orders.SCHEMA, "amount", DecimalType(20, 2)), r"amount was decimal\(18,2\) and is decimal\(20,2\)"),
        (without(orders.SCHEMA, "status"), r"silver\.orders: column status \(string\) is gone"),
    ],
    ids=["type", "gone"],
)
def test_other_change_of_silver_stops_before_data_is_read(
    monkeypatch: pytest.MonkeyPatch, lake: str, spark: SparkSession, other: StructType, message: str
) -> None:
    put(SILVER, [silver_order()])
    before = version(SILVER)
    monkeypatch.setattr(orders, "SCHEMA", other)

    with pytest.raises(SchemaContractError, match=message):
        build(SILVER)  # there is no bronze: nothing can have been read

    assert version(SILVER) == before


@pytest.mark.slow
@pytest.mark.usefixtures("lake")
def test_reader_of_another_type_is_refused_by_its_schema(monkeypatch: pytest.MonkeyPatch, spark: SparkSession) -> None:
    land(spark, ORDERS, "b1", [order()])

    def as_text(raw: DataFrame) -> DataFrame:
        return orders.from_snowflake(raw).withColumn("amount", F.lit("12.30"))  # a cast would take it, today

    monkeypatch.setitem(orders.READERS, ORDERS, as_text)

    with pytest.raises(
        SchemaContractError,
        match=r"reader of bronze\.snowflake_orders: column amount is string and has to be decimal\(18,2\)",
    ):
        build(SILVER)


@pytest.mark.slow
def test_compute_of_another_type_is_refused_by_its_schema(
    monkeypatch: pytest.MonkeyPatch, gated: None, spark: SparkSession
) -> None:
    compute = fact_orders.compute

    def as_number(inputs: Mapping[str, DataFrame]) -> DataFrame:
        return compute(inputs).withColumn("amount_usd", F.col("amount_native").cast("double"))

    monkeypatch.setattr(fact_orders, "compute", as_number)

    with pytest.raises(
        SchemaContractError, match=r"gold\.fact_orders: column amount_usd is double and has to be decimal\(20,2\)"
    ):
        build(GOLD, "run-2")

    assert by(GOLD, "order_id", "status").keys() == {"O1", "O9"}, "nothing was written"


@pytest.mark.slow
def test_column_that_left_silver_is_null_in_every_row_that_is_written_from_then_on(
    monkeypatch: pytest.MonkeyPatch, spark: SparkSession, lake: str
) -> None:
    wider = StructType([*orders.SCHEMA, CHANNEL])
    writes.create(spark, settings.lake().uri(SILVER), wider, "order_month", "d")
    known = [{**silver_order(name), "channel": "web"} for name in ("O1", "O2")]
    writes.append(frame(spark, known, wider), settings.lake().uri(SILVER), CommitRecord())
    land(spark, ORDERS, "b1", [order("O1"), order("O2", updated_at=at(LATER)), order("O3")])
    with pytest.raises(SchemaContractError, match=r"silver\.orders: column channel \(string\) is gone.*to RETIRED"):
        build(SILVER)

    monkeypatch.setattr(orders, "RETIRED", ("channel",), raising=False)
    build(SILVER)

    assert by(SILVER, "order_id", "channel") == {"O1": "web", "O2": None, "O3": None}
    land(spark, ORDERS, "b2", [order("O3", updated_at=at(LATER)), order("O4")])
    assert build(SILVER, "run-2")["read"] == 2, "from here on only new rows are read"
    assert by(SILVER, "order_id", "channel") == {"O1": "web", "O2": None, "O3": None, "O4": None}


@pytest.fixture
def gated(spark: SparkSession, lake: str) -> None:
    """Gold as the release before made it, and silver that the gate passed in the next run."""
    put("silver.fx_rates", [silver_rate("2026-10-01", "EUR", "2.0")])
    versions = {"silver.orders": put(SILVER, [silver_order("O1"), silver_order("O2")]), "silver.fx_rates": 0}
    put(GOLD, [gold_order("O1"), gold_order("O9")], step=GOLD, code="release-1", inputs=versions)
    gate_verdicts.record_passed(Run("run-2", "gate"), versions)


def gold_order(order_id: str) -> dict[str, Any]:
    row = silver_order(order_id)
    return {**row, "amount_native": row["amount"], "amount_usd": None, "fx_as_of_date": None}


@pytest.mark.slow
def test_new_column_of_gold_is_filled_everywhere_by_the_release_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, gated: None, spark: SparkSession
) -> None:
    compute = fact_orders.compute
    monkeypatch.setattr(fact_orders, "SCHEMA", StructType([*fact_orders.SCHEMA, CHANNEL]))
    monkeypatch.setattr(
        fact_orders, "compute", lambda inputs: compute(inputs).withColumn("channel", F.substring("order_id", 1, 1))
    )

    build(GOLD, "run-2", code="release-2")

    assert by(GOLD, "order_id", "channel") == {"O1": "O", "O2": "O"}


@pytest.mark.slow
def test_column_that_left_gold_stops_it_until_it_is_retired_and_is_null_from_then_on(
    monkeypatch: pytest.MonkeyPatch, gated: None, spark: SparkSession
) -> None:
    compute = fact_orders.compute
    monkeypatch.setattr(fact_orders, "SCHEMA", without(fact_orders.SCHEMA, "status"))
    monkeypatch.setattr(fact_orders, "compute", lambda inputs: compute(inputs).drop("status"))
    with pytest.raises(SchemaContractError, match=r"gold\.fact_orders: column status \(string\) is gone.*to RETIRED"):
        build(GOLD, "run-2", code="release-2")

    monkeypatch.setattr(fact_orders, "RETIRED", ("status",), raising=False)
    made = build(GOLD, "run-2", code="release-2")

    assert (made["written"], made["deleted"]) == (2, 1)
    assert by(GOLD, "order_id", "status") == {"O1": None, "O2": None}


@pytest.mark.slow
def test_other_partition_column_of_silver_is_reached_by_the_way_that_the_error_says(
    monkeypatch: pytest.MonkeyPatch, spark: SparkSession, lake: str
) -> None:
    land(spark, ORDERS, "b1", [order("O1"), order("O2", currency="USD")])
    build(SILVER)
    lakehouse = tables.pipeline("lakehouse")
    others = tuple(replace(t, partition_by="currency") if t.name == SILVER else t for t in lakehouse.tables)
    monkeypatch.setattr(tables, "PIPELINES", (replace(lakehouse, tables=others),))
    with pytest.raises(SchemaContractError, match=r"by order_month, the registry says currency.*--full-refresh"):
        build(SILVER, "run-2")

    objects.delete_prefix("silver/orders/")
    objects.delete_prefix(f"ops/run_ledger/{SILVER}/")
    made = build(SILVER, "run-2", full_refresh=True)

    assert (made["read"], made["written"]) == (2, 2)
    found = log.open_table(settings.lake().uri(SILVER))
    assert found
    assert found.metadata().partition_columns == ["currency"]


@pytest.mark.slow
def test_quarantine_of_a_release_before_gets_the_columns_that_it_lacks(spark: SparkSession, lake: str) -> None:
    narrower = without(quarantine.SCHEMA, "run_id")
    writes.create(spark, settings.lake().uri("quarantine.orders"), narrower, None, "d")
    land(spark, ORDERS, "b1", [order("O1", status="LOST")])

    build(SILVER)

    assert by("quarantine.orders", "batch_id", "run_id") == {"b1": "run-1"}


@pytest.mark.slow
def test_field_that_left_salesforce_is_retired_as_the_error_says_and_the_lake_goes_on(
    monkeypatch: pytest.MonkeyPatch, spark: SparkSession, lake: str
) -> None:
    def ingest_day(day: int) -> None:
        window = {"window_start": at(f"2026-10-0{day}"), "window_end": at(f"2026-10-0{day + 1}")}
        ingest.ingest(
            spark, Run(f"run-{day}", ACCOUNTS, **window), tables.table(ACCOUNTS), salesforce_accounts.SCHEMA,
            lambda _: iter([salesforce_accounts.ACCOUNT.rows([sobject(day)])]),
        )  # fmt: skip

    ingest_day(1)
    others = {name: field for name, field in salesforce_accounts.ACCOUNT.fields.items() if name != "Industry"}
    monkeypatch.setattr(salesforce_accounts, "ACCOUNT", SObject("Account", others))
    monkeypatch.setattr(salesforce_accounts, "SCHEMA", salesforce_accounts.ACCOUNT.schema)
    with pytest.raises(SchemaContractError, match=r"column industry \(string\) is gone.* RETIRED"):
        ingest_day(2)

    monkeypatch.setattr(salesforce_accounts, "RETIRED", ("industry",), raising=False)
    ingest_day(2)
    build("silver.salesforce_accounts")

    found = by("silver.salesforce_accounts", "id", "industry")
    assert found == {"001000000000001AAA": "Energy", "001000000000002AAA": None}


def sobject(number: int) -> dict[str, Any]:
    """An account as Salesforce has it."""
    row = account(f"00100000000000{number}AAA", account_number=f"C{number}")
    return {name: row[column_name(name)] for name in salesforce_accounts.FIELDS}


@pytest.mark.slow
def test_tables_of_a_stream_get_new_columns_when_it_starts(spark: SparkSession, lake: str) -> None:
    topic = of_table(tables.table(EVENTS))
    batches.create_tables(spark, replace(topic, schema=without(topic.schema, "headers")))

    batches.create_tables(spark, topic, Run("run-2", EVENTS))

    assert set(snapshot.read(spark, settings.lake().uri(EVENTS)).columns) == {*schema_of(EVENTS).names}
    with pytest.raises(SchemaContractError, match=r"orders_dlq: column detail \(string\) is gone"):
        batches.create_tables(spark, replace(topic, dead_schema=without(topic.dead_schema, "detail")))
