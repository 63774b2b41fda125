"""Gold holds exactly the keys of its gated inputs: what a join or a filter loses is named before the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.gold import fact_orders
from jobs.lake import key_audit
from jobs.lake.errors import ConfigurationError, GateError
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests.jobs.lakehouse import build, by, put, silver_order, silver_rate, version

SALES = Table(
    "gold.sales", "d", "o", depends_on=("silver.orders", "silver.returns"), keys=("shop", "day"), no_zorder="small",
    keys_from=(("silver.orders", "shop", "sold_on"), ("silver.returns", "shop", "back_on")),
)  # fmt: skip
GOLD = "gold.fact_orders"


def rows(spark: SparkSession, columns: str, content: Sequence[tuple[Any, ...]]) -> DataFrame:
    return spark.createDataFrame(list(content), ", ".join(f"{name} string" for name in columns.split()))


def inputs(spark: SparkSession) -> dict[str, DataFrame]:
    """Keys a/1, a/2 and b/1; two rows have a null and count for nothing."""
    return {
        "silver.orders": rows(spark, "shop sold_on", [("a", "1"), ("a", "1"), ("a", "2"), (None, "1")]),
        "silver.returns": rows(spark, "shop back_on", [("b", "1"), ("a", "2"), ("b", None)]),
    }


WHOLE = [("a", "1"), ("a", "2"), ("b", "1")]


def test_keys_of_all_inputs_are_counted_once(spark: SparkSession) -> None:
    assert key_audit.refuse_lost(SALES, inputs(spark), rows(spark, "shop day", WHOLE)) == 3


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (WHOLE[1:], "of 3 keys of its inputs, 1 are not in what was computed; 0 are in it that no input has; 0 have"),
        ([*WHOLE, ("c", "1")], "0 are not in what was computed; 1 are in it that no input has; 0 have"),
        ([*WHOLE, WHOLE[0]], "0 are not in what was computed; 0 are in it that no input has; 1 have more than one row"),
        ([], "3 are not in what was computed"),
    ],
    ids=["lost", "strange", "doubled", "all lost"],
)
def test_other_keys_are_refused_with_their_number(spark: SparkSession, made: list[Any], message: str) -> None:
    with pytest.raises(GateError, match=f"{message}.*jobs/gold/sales.py"):
        key_audit.refuse_lost(SALES, inputs(spark), rows(spark, "shop day", made))


def test_key_whose_input_row_changed_is_among_the_affected_ones(spark: SparkSession) -> None:
    state = "_before struct<shop string, {0} string>, _after struct<shop string, {0} string>"
    changed: Mapping[str, DataFrame] = {
        "silver.orders": spark.createDataFrame(
            [((None), ("a", "1")), (("a", "2"), ("b", "2"))], state.format("sold_on")
        ),
        "silver.returns": spark.createDataFrame([(("c", "1"), None)], state.format("back_on")),
    }
    affected = [("a", "1"), ("a", "2"), ("b", "2"), ("c", "1")]
    key_audit.refuse_missed(SALES, changed, rows(spark, "shop day", affected))

    for missing in affected:
        rest = rows(spark, "shop day", [key for key in affected if key != missing])
        with pytest.raises(GateError, match="1 keys whose input rows changed are not among the affected rows"):
            key_audit.refuse_missed(SALES, changed, rest)


def test_keys_come_from_the_first_input_unless_the_registry_says_otherwise(spark: SparkSession) -> None:
    plain = Table("gold.sales", "d", "o", depends_on=("silver.orders",), keys=("shop",), no_zorder="small")

    assert key_audit.refuse_lost(plain, inputs(spark), rows(spark, "shop", [("a",)])) == 1
    with pytest.raises(ConfigurationError, match="no input column day: say in keys_from"):
        key_audit.refuse_lost(
            Table("gold.sales", "d", "o", depends_on=("silver.orders",), keys=("day",), no_zorder="small"),
            inputs(spark),
            rows(spark, "day", [("1",)]),
        )


def inner(frames: Mapping[str, DataFrame]) -> DataFrame:
    """Loses orders in a currency without a rate."""
    return real(frames).filter("fx_as_of_date IS NOT NULL")


real = fact_orders.compute


@pytest.mark.parametrize(
    "whole",
    [pytest.param(True, marks=pytest.mark.slow, id="whole"), pytest.param(False, id="only what changed")],
)
def test_orders_that_a_join_loses_are_never_published(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    put("silver.fx_rates", [silver_rate("2026-10-01", "EUR", "2.0")])
    put("silver.orders", [silver_order("O1")])

    def publish(run_id: str, **options: bool) -> None:
        passed = {name: version(name) for name in ("silver.orders", "silver.fx_rates")}
        gate_verdicts.record_passed(Run(run_id, "gate"), passed)
        build(GOLD, run_id, **options)

    publish("run-1")
    before = version(GOLD)
    put("silver.orders", [silver_order("O1"), silver_order("O2", currency="XXX")])
    monkeypatch.setattr(fact_orders, "compute", inner)

    with pytest.raises(GateError, match="1 are not in what was computed"):
        publish("run-2", full_refresh=whole)

    assert version(GOLD) == before
    monkeypatch.setattr(fact_orders, "compute", real)
    publish("run-2")
    assert set(by(GOLD, "order_id", "status")) == {"O1", "O2"}
