"""A table's data, its suite and the kernel meet in one place; a module that the kernel can't use is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from pyspark.sql.types import BooleanType, IntegerType, StructField, StructType, TimestampNTZType

from jobs import steps
from jobs.lake import ingest, publish, session, table_module, tables, upsert
from jobs.lake.delta.commit_record import Counts
from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.schema import column, text
from jobs.lake.state import metrics
from jobs.sources.kafka import stream

pytestmark = pytest.mark.usefixtures("spark")  # rules are compiled to Spark's columns


@pytest.mark.parametrize("table", [t for t in tables.every() if not t.written_with], ids=lambda table: table.name)
def test_step_hands_the_tables_own_data_to_the_kernel(monkeypatch: pytest.MonkeyPatch, table: Table) -> None:
    given: dict[str, tuple[Any, ...]] = {}

    sent: list[tuple[dict[str, float], dict[str, str]]] = []

    def take(name: str) -> Callable[..., Counts]:
        return lambda *arguments, **_: given.update({name: arguments}) or Counts(9, quarantined=3)

    monkeypatch.setattr(metrics, "send", lambda figures, **dimensions: sent.append((figures, dimensions)))
    monkeypatch.setattr(session, "spark", lambda step: step)
    kernel = ((ingest, "ingest"), (upsert, "upsert"), (publish, "publish"), (stream, "run"))
    for module, name in kernel:
        monkeypatch.setattr(module, name, take(name))
    run = Run("r1", table.name)

    steps.build(run)

    verb = {"bronze": "ingest", "silver": "upsert", "gold": "publish"}[table.layer]
    (name, (spark, same, what, *data)), *others = given.items()
    assert (spark, same, others) == (table.name, run, [])
    kept_out = ({"RowsQuarantined": 3}, {"Table": table.name})
    assert sent == ([kept_out] if table.layer == "silver" else [])
    if table.continuous:
        assert (name, what.events) == ("run", table)
        return
    module = table_module.load(table)
    own = {"ingest": "extract", "upsert": "READERS", "publish": "compute"}[verb]
    assert (name, what, data[0], data[1]) == (verb, table, module.SCHEMA, getattr(module, own))


@pytest.mark.parametrize("table", ["bronze.fx_rates", "silver.orders", "gold.fact_orders"])
def test_step_rolls_up_its_table_also_when_it_fails(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    rolled: list[str] = []
    monkeypatch.setattr(steps.roll_up, "roll_up", rolled.extend)
    monkeypatch.setattr(steps, "_build", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        steps.build(Run("r1", table))

    assert rolled == [table]


GOOD = StructType([text("id", "its key"), text("month", "YYYY-MM"), text("at", "its time")])
SILVER = Table(
    "silver.x", "d", "o", depends_on=("bronze.a", "bronze.b"), keys=("id",), order_by=("at",), zorder_by=("id",)
)
GOLD = Table("gold.x", "d", "o", depends_on=("silver.x",), keys=("id",), partition_by="month", zorder_by=("id",))
BRONZE = Table("bronze.x", "d", "o", source="s/x")
READERS = dict.fromkeys(SILVER.depends_on)


def with_column(*fields: StructField) -> StructType:
    return StructType([*GOOD, *fields])


@pytest.mark.parametrize(
    ("table", "data", "sentence"),
    [
        (SILVER, {"READERS": READERS}, "SCHEMA is missing"),
        (SILVER, {"SCHEMA": StructType([]), "READERS": READERS}, "SCHEMA is missing"),
        (SILVER, {"SCHEMA": GOOD}, r"READERS are for \[\], but the registry names \['bronze.a', 'bronze.b'\]"),
        (SILVER, {"SCHEMA": GOOD, "READERS": {"bronze.a": None}}, r"READERS are for \['bronze.a'\]"),
        (SILVER, {"SCHEMA": GOOD, "READERS": {**READERS, "bronze.c": None}}, "READERS are for .*bronze.c"),
        (replace(SILVER, keys=("no",)), {"SCHEMA": GOOD, "READERS": READERS}, "no column no, which the registry"),
        (replace(SILVER, order_by=("no",)), {"SCHEMA": GOOD, "READERS": READERS}, "no column no, which the registry"),
        (GOLD, {"SCHEMA": GOOD}, "compute is missing"),
        (replace(SILVER, zorder_by=("no",)), {"SCHEMA": GOOD, "READERS": READERS}, "no column no, which the registry"),
        (
            replace(SILVER, zorder_by=("flag",)),
            {"SCHEMA": with_column(column("flag", BooleanType(), "a flag")), "READERS": READERS},
            "zorder_by names flag, of which Delta keeps no statistics",
        ),
        (
            replace(SILVER, zorder_by=("c32",)),
            {"SCHEMA": with_column(*(text(f"c{n}", "one of many") for n in range(3, 33))), "READERS": READERS},
            "zorder_by names c32, of which Delta keeps no statistics",
        ),
        (replace(GOLD, partition_by="no"), {"SCHEMA": GOOD, "compute": print}, "no column no, which the registry"),
        (
            replace(GOLD, partition_by="day"),
            {"SCHEMA": with_column(column("day", IntegerType(), "its day")), "compute": print},
            "the partition column day is not text",
        ),
        (
            GOLD,
            {"SCHEMA": GOOD, "compute": print, "RETIRED": ("at",)},
            "RETIRED is a tuple of names that SCHEMA does not",
        ),
        (GOLD, {"SCHEMA": GOOD, "compute": print, "RETIRED": "old"}, "RETIRED is a tuple of names"),
        (
            GOLD,
            {"SCHEMA": with_column(column("t", TimestampNTZType(), "its time")), "compute": print},
            "column t is a time without a zone",
        ),
        (
            GOLD,
            {"SCHEMA": with_column(StructField("bare", IntegerType())), "compute": print},
            "column bare has no comment or class",
        ),
        (
            GOLD,
            {"SCHEMA": with_column(StructField("n", IntegerType(), metadata={"comment": "c", "class": "secret"}))},
            "column n has no comment or class",
        ),
        (BRONZE, {"SCHEMA": GOOD}, "extract is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_module_that_the_kernel_can_not_use_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, table: Table, data: dict[str, Any], sentence: str
) -> None:
    module = ModuleType(table.module)
    vars(module).update(data)
    monkeypatch.setattr(table_module, "import_module", lambda name: module)

    with pytest.raises(ConfigurationError, match=rf"^jobs/{table.layer}/x.py: .*{sentence}"):
        table_module.load(table)


def test_error_for_a_table_without_a_module_names_the_file_to_write() -> None:
    with pytest.raises(ConfigurationError, match=r"silver\.x has no module: write jobs/silver/x\.py"):
        table_module.load(SILVER)


def test_library_that_a_module_lacks_is_not_taken_for_a_missing_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError("No module named 'pandas'", name="pandas")

    monkeypatch.setattr(table_module, "import_module", broken)

    with pytest.raises(ModuleNotFoundError, match="pandas"):
        table_module.load(SILVER)
