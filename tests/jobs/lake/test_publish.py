"""Gold follows the gate: exactly the versions that passed, never back, and nothing that an audit refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.gold import fact_orders
from jobs.lake import publish, settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests.jobs.lakehouse import by, files, put, record, rows, silver_order, silver_rate, version

GOLD = "gold.fact_orders"
Row = dict[str, Any]


@pytest.fixture
def silver(lake: str) -> None:
    """Rates; each test has its own orders."""
    put("silver.fx_rates", [silver_rate("2026-10-01", "EUR", "2.0")])


def compute(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Orders as facts, without dollars."""
    return (
        inputs["silver.orders"]
        .withColumnRenamed("amount", "amount_native")
        .withColumns({"amount_usd": F.lit(None), "fx_as_of_date": F.lit(None), "fx_reason": F.lit(None)})
    )


def accept(rows: DataFrame, whole: DataFrame) -> None:
    """An audit that passes everything."""


def refuse(rows: DataFrame, whole: DataFrame) -> None:
    raise GateError("refused")


def passed(run_id: str, orders: int) -> None:
    """The gate's verdict on a version of `silver.orders`."""
    gate_verdicts.record_passed(Run(run_id, "gate"), {"silver.orders": orders, "silver.fx_rates": 0})


def published(spark: SparkSession, run_id: str, audit: publish.Audit = accept) -> publish.Counts:
    return publish.publish(spark, Run(run_id, GOLD), tables.table(GOLD), fact_orders.SCHEMA, compute, audit)


def statuses(spark: SparkSession) -> Row:
    return by(GOLD, "order_id", "status")


@pytest.mark.usefixtures("silver")
def test_gated_version_is_read_and_not_the_latest(spark: SparkSession) -> None:
    passed("run-1", put("silver.orders", [silver_order("O1", status="PLACED")]))
    put("silver.orders", [silver_order("O1", status="PAID"), silver_order("O2")])  # nobody has judged it

    published(spark, "run-1")

    assert statuses(spark) == {"O1": "PLACED"}
    assert record(GOLD)["inputs"] == {"silver.orders": 0, "silver.fx_rates": 0}


@pytest.mark.usefixtures("silver")
def test_overtaken_run_does_not_roll_gold_back(spark: SparkSession) -> None:
    passed("run-1", put("silver.orders", [silver_order("O1", status="PLACED")]))
    passed("run-2", put("silver.orders", [silver_order("O1", status="PAID")]))
    published(spark, "run-2")
    before = files(GOLD)

    counts = published(spark, "run-1")

    assert statuses(spark) == {"O1": "PAID"}
    assert files(GOLD) == before
    assert (counts.unchanged, counts.written) == (1, 0)
    assert record(GOLD)["inputs"]["silver.orders"] == 1


@pytest.mark.usefixtures("silver")
def test_refused_audit_leaves_gold_as_it_was(spark: SparkSession) -> None:
    passed("run-1", put("silver.orders", [silver_order("O1", status="PLACED")]))
    published(spark, "run-1")
    before = version(GOLD)
    passed("run-2", put("silver.orders", [silver_order("O1", status="PAID"), silver_order("O2")]))

    with pytest.raises(GateError, match="refused"):
        published(spark, "run-2", refuse)

    assert version(GOLD) == before
    assert statuses(spark) == {"O1": "PLACED"}


@pytest.mark.usefixtures("silver")
def test_gold_that_would_only_lose_rows_is_audited_as_well(spark: SparkSession) -> None:
    passed("run-1", put("silver.orders", [silver_order("O1"), silver_order("O2")]))
    published(spark, "run-1")
    passed("run-2", put("silver.orders", []))

    with pytest.raises(GateError, match="refused"):
        published(spark, "run-2", refuse)

    assert set(statuses(spark)) == {"O1", "O2"}


@pytest.mark.usefixtures("silver")
def test_audit_sees_the_rows_to_write_and_the_whole_new_content(spark: SparkSession) -> None:
    seen: dict[str, list[str]] = {}

    def look(rows: DataFrame, whole: DataFrame) -> None:
        seen["rows"], seen["whole"] = (sorted(row["order_id"] for row in frame.collect()) for frame in (rows, whole))

    passed("run-1", put("silver.orders", [silver_order("O1"), silver_order("O2")]))
    published(spark, "run-1")
    passed("run-2", put("silver.orders", [silver_order("O1"), silver_order("O2", status="PAID"), silver_order("O3")]))
    published(spark, "run-2", look)

    assert seen == {"rows": ["O2", "O3"], "whole": ["O1", "O2", "O3"]}


@pytest.mark.usefixtures("silver")
def test_unchanged_input_rewrites_no_file_and_commits_what_was_read(spark: SparkSession) -> None:
    passed("run-1", put("silver.orders", [silver_order("O1")]))
    published(spark, "run-1")
    before = files(GOLD)
    passed("run-2", put("silver.orders", [silver_order("O1")]))

    counts = published(spark, "run-2", refuse)  # there is nothing to audit

    assert (counts.read, counts.unchanged) == (1, 1)
    assert before
    assert files(GOLD) == before
    assert record(GOLD)["inputs"]["silver.orders"] == 1
    assert record(GOLD)["run_id"] == "run-2"


@pytest.mark.usefixtures("silver")
def test_vanished_keys_are_deleted_and_moved_ones_exist_once(spark: SparkSession) -> None:
    from datetime import date

    passed("run-1", put("silver.orders", [silver_order("O1"), silver_order("O2"), silver_order("O3")]))
    published(spark, "run-1")
    passed("run-2", put("silver.orders", [silver_order("O1"), silver_order("O3", order_date=date(2026, 11, 2))]))

    counts = published(spark, "run-2")

    assert by(GOLD, "order_id", "order_month") == {"O1": "2026-10", "O3": "2026-11"}
    assert (counts.written, counts.unchanged, counts.deleted) == (1, 1, 1)


@pytest.mark.usefixtures("silver")
def test_run_that_the_gate_has_not_passed_writes_nothing(spark: SparkSession) -> None:
    put("silver.orders", [silver_order("O1")])

    with pytest.raises(GateError, match=r"passed no version of silver\.orders, silver\.fx_rates in run by_hand run-1"):
        published(spark, "run-1")

    assert rows(GOLD) == []
    assert log.newest_of(settings.lake().uri(GOLD), GOLD) is None
