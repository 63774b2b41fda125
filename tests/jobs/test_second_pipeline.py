"""Two pipelines share nothing but the kernel: one that is broken, or not built yet, blocks no other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType, TimestampType

from dq import suite
from jobs import run as run_py
from jobs.catalog import register_glue_tables
from jobs.lake import registry, tables
from jobs.lake.delta.commit_record import Counts
from jobs.lake.errors import ConfigurationError, GateError
from jobs.lake.extract import Request, SourceRows
from jobs.lake.registry import Pipeline, Schedule, Table
from jobs.lake.run import Run
from jobs.lake.schema import arrow, column, text
from jobs.lake.state import gate_verdicts
from tests.jobs.lakehouse import ORDERS, at, build, by, good_rows, land, order, put, rows

SCHEMA = StructType([text("sku", "article"), text("colour", "its colour"), column("at", TimestampType(), "when, UTC")])
SHOP = Pipeline(
    name="shop",
    description="Articles of a shop.",
    owner="shop-team",
    schedule=Schedule("daily_shop", "0 3 * * *", "Articles, once a day."),
    tables=(
        Table("bronze.articles", "As read.", "shop-team", source="shop/articles"),
        Table(
            "silver.articles", "The newest.", "shop-team",
            depends_on=("bronze.articles",), keys=("sku",), order_by=("at",), zorder_by=("sku",),
        ),
        Table(
            "gold.articles", "All of them.", "shop-team",
            depends_on=("silver.articles",), keys=("sku",), no_zorder="Three rows.",
        ),
    ),
)  # fmt: skip
RULES = """
expectations:
  - {type: expect_column_values_to_not_be_null, kwargs: {column: sku}, severity: critical, quarantine: true}
  - {type: expect_column_values_to_be_in_set, kwargs: {column: colour, value_set: [red, blue]}, severity: critical}
"""
MIDNIGHT = "scheduled__2026-10-02T00:00:00+00:00"  # Airflow gives it to every DAG that runs then
END = at("2026-10-02")
GATED = tuple(table.name for table in tables.pipeline("lakehouse").gated)


def _module(table: Table, **content: Any) -> ModuleType:
    module = ModuleType(table.module)
    vars(module).update(SCHEMA=SCHEMA, **content)
    return module


@pytest.fixture
def colours() -> list[str]:
    """What the shop's source has: the colours of articles 1, 2, …"""
    return ["red", "blue"]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, colours: list[str]) -> Pipeline:
    """A second pipeline in the registry: a row, three modules, a suite for each of silver and gold."""

    def extract(_: Request) -> SourceRows:
        found = [{"sku": str(n), "colour": colour, "at": at("2026-10-01")} for n, colour in enumerate(colours, 1)]
        yield pa.Table.from_pylist(found, arrow(SCHEMA))
        return {"source_rows": len(found)}

    def compute(inputs: Mapping[str, DataFrame]) -> DataFrame:
        return inputs["silver.articles"]

    def same(frame: DataFrame) -> DataFrame:
        return frame

    bronze, silver, gold = SHOP.tables
    for module in (
        _module(bronze, extract=extract),
        _module(silver, READERS={"bronze.articles": same}),
        _module(gold, compute=compute),
    ):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    real = suite.load
    monkeypatch.setattr(suite, "load", lambda name: suite.parse(name, RULES) if "articles" in name else real(name))
    monkeypatch.setattr(tables, "PIPELINES", (*tables.PIPELINES, SHOP))
    registry.check(tables.PIPELINES)
    return SHOP


def run(step: str, dag_id: str, subject: str = "") -> None:
    run_py.perform(Run(MIDNIGHT, step, dag_id, window_end=END, subject=subject))


def shop_day(*, gate: bool = True) -> None:
    for step in ("bronze.articles", "silver.articles"):
        run(step, "daily_shop")
    if gate:
        run("gate", "daily_shop", "shop")
        run("gold.articles", "daily_shop")


def lakehouse_silver() -> None:
    """Every silver table that the lakehouse's gold reads, as its own steps of this midnight would leave it."""
    for name in GATED:
        put(name, good_rows(name), run_id=MIDNIGHT, dag_id="daily_lakehouse", step=name, counts=vars(Counts(0)))


def lakehouse_gold(spark: SparkSession) -> None:
    run("gate", "daily_lakehouse", "lakehouse")
    build("gold.fact_orders", MIDNIGHT, dag_id="daily_lakehouse")
    assert by("gold.fact_orders", "order_id", "status") == {"O1": "PLACED"}


def test_pipeline_of_a_row_modules_and_suites_reaches_gold(spark: SparkSession, lake: str, shop: Pipeline) -> None:
    shop_day()

    assert by("gold.articles", "sku", "colour") == {"1": "red", "2": "blue"}
    passed = gate_verdicts.passed_versions(Run(MIDNIGHT, "gold.articles", "daily_shop"), ["silver.articles"])
    assert passed.keys() == {"silver.articles"}
    with pytest.raises(GateError, match=r"passed no version of silver\.orders"):
        gate_verdicts.passed_versions(Run(MIDNIGHT, "gold.articles", "daily_shop"), ["silver.orders"])


def test_pipeline_that_is_not_built_yet_blocks_no_other(spark: SparkSession, lake: str, shop: Pipeline) -> None:
    lakehouse_silver()

    lakehouse_gold(spark)


def test_pipeline_whose_gate_closes_at_the_same_midnight_blocks_no_other(
    spark: SparkSession, lake: str, shop: Pipeline, colours: list[str]
) -> None:
    colours.append("sour")
    lakehouse_silver()
    run("gate", "daily_lakehouse", "lakehouse")
    shop_day(gate=False)

    with pytest.raises(GateError, match=r"silver\.articles version .* colour be_in_set"):
        run("gate", "daily_shop", "shop")

    lakehouse_gold(spark)
    with pytest.raises(GateError, match=r"passed no version of silver\.articles"):
        run("gold.articles", "daily_shop")


def _no_schema(module: ModuleType) -> None:
    del vars(module)["SCHEMA"]


def _raises(module: ModuleType) -> None:
    def fail(frame: DataFrame) -> DataFrame:
        raise ZeroDivisionError("broken")

    vars(module)["READERS"] = {"bronze.articles": fail}


@pytest.mark.slow
@pytest.mark.parametrize("damage", [_no_schema, _raises])
def test_pipeline_whose_module_is_broken_blocks_no_other(
    spark: SparkSession, lake: str, shop: Pipeline, damage: Callable[[ModuleType], None]
) -> None:
    damage(sys.modules["jobs.silver.articles"])
    run("bronze.articles", "daily_shop")
    with pytest.raises((ConfigurationError, ZeroDivisionError)):
        run("silver.articles", "daily_shop")
    lakehouse_silver()

    lakehouse_gold(spark)


def test_each_pipeline_registers_its_own_tables(
    spark: SparkSession, lake: str, shop: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    shop_day()
    land(spark, ORDERS, "b1", [order("O1")])
    capsys.readouterr()

    def registered(subject: str) -> list[str]:
        register_glue_tables.register(Run(MIDNIGHT, "register", "daily_shop", subject=subject))
        lines = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
        return [
            name for name in lines if not name.startswith(("ops.", "WARNING "))
        ]  # Glue may list what other tests had

    own = ["bronze.articles", "silver.articles", "gold.articles"]
    assert registered("shop") == own
    assert registered("lakehouse") == [ORDERS]
    assert sorted(registered("")) == sorted([*own, ORDERS])


@pytest.mark.parametrize("subject", ["", "nowhere"])
def test_error_for_a_gate_without_a_pipeline_lists_those_that_exist(
    lake: str, spark: SparkSession, subject: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"name the pipeline .* the registry has lakehouse"):
        run("gate", "by_hand", subject)


@pytest.mark.slow
def test_lakehouse_is_read_by_no_other_pipeline(spark: SparkSession, lake: str, shop: Pipeline) -> None:
    lakehouse_silver()
    before = {name: rows(name) for name in GATED}

    shop_day()

    assert {name: rows(name) for name in GATED} == before
