"""Walks the registry: every table has its module, its suite and its test."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from pyspark.sql.types import StructType, TimestampNTZType

from dq import rules, suite
from jobs.lake import tables
from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import LAYERS, Table

pytestmark = pytest.mark.usefixtures("spark")  # rules are compiled to Spark's columns

REPOSITORY = Path(__file__).resolve().parents[3]
NOT_NULL = "expect_column_values_to_not_be_null"


def missing_parts(table: Table, repository: Path = REPOSITORY) -> list[str]:
    """What a registered table lacks."""
    try:
        module = import_module(table.module)
    except ModuleNotFoundError:
        return [f"jobs/{table.layer}/{table.short}.py"]
    schema = getattr(module, "SCHEMA", None)
    found = []
    if not (isinstance(schema, StructType) and len(schema)):
        return ["SCHEMA"]
    if table.written_with is None and not callable(getattr(module, "build", None)):
        found.append("build")
    found += [f"a comment on {field.name}" for field in schema if not field.metadata.get("comment")]
    # Athena reads Delta at reader version 1.
    found += [f"a zone on {field.name}" for field in schema if isinstance(field.dataType, TimestampNTZType)]
    lineage = {"_batch_id"} if table.layer == "bronze" else set()
    named = {*table.keys, *filter(None, [table.partition_column]), *table.order_by}
    found += [f"column {name}" for name in sorted(named - set(schema.names) - lineage)]
    test = repository / "tests" / "jobs" / table.layer / f"test_{table.short}.py"
    if not (test.is_file() and "def test_" in test.read_text()):
        found.append(f"tests in {test.relative_to(repository)}")
    if table.layer != "bronze":
        found += _missing_rules(table)
    return found


def _missing_rules(table: Table) -> list[str]:
    try:
        given = suite.load(table.name)
    except ConfigurationError as error:
        return [str(error)]
    rules.broken(given)  # every row rule can be compiled
    critical = [rule for rule in given.rules if rule.severity == "critical"]
    found = [] if critical else ["a critical rule"]
    unknown = {
        str(value)
        for rule in given.rules
        for key, value in rule.kwargs.items()
        if key in ("column", "column_A", "column_B") and value not in import_module(table.module).SCHEMA.names
    }
    found += [f"column {name}, which its suite names" for name in sorted(unknown)]
    guarded = {rule.kwargs["column"] for rule in critical if rule.type == NOT_NULL}
    split_off = {rule.kwargs["column"] for rule in given.row_rules if rule.type == NOT_NULL}
    found += [f"a critical not-null rule for key {key}" for key in table.keys if key not in guarded]
    if table.layer == "silver":
        # A row without its key or its time can't take part in newest-wins.
        wanted = (*table.keys, *table.order_by[:1])
        found += [f"a quarantine rule for null {name}" for name in wanted if name not in split_off]
    return found


@pytest.mark.parametrize("table", tables.every(), ids=lambda table: table.name)
def test_table_has_its_module_suite_and_test(table: Table) -> None:
    assert missing_parts(table) == []


def test_registry_has_the_tables_of_the_lakehouse() -> None:
    assert {table.name for table in tables.every()} >= {
        "bronze.fx_rates",
        "bronze.salesforce_accounts",
        "bronze.snowflake_orders",
        "silver.fx_rates",
        "silver.orders",
        "silver.salesforce_accounts",
        "gold.dim_customers",
        "gold.fact_orders",
    }
    assert len({table.name for table in tables.every()}) == len(tables.every())


@pytest.mark.parametrize("table", tables.every(), ids=lambda table: table.name)
def test_table_depends_on_registered_tables_of_earlier_layers(table: Table) -> None:
    earlier = LAYERS[: LAYERS.index(table.layer)]

    assert all(tables.table(name).layer in earlier for name in table.depends_on)
    assert bool(table.depends_on) == (table.layer != "bronze")


@pytest.mark.parametrize("layer", ["jobs/bronze", "jobs/silver", "jobs/gold", "dq/suites/silver", "dq/suites/gold"])
def test_no_file_is_left_without_a_table(layer: str) -> None:
    folder = REPOSITORY / layer
    names = {file.stem for file in folder.iterdir() if not file.name.startswith("__")}

    assert names == {table.short for table in tables.layer(folder.name)}


def test_walk_sees_a_table_without_module() -> None:
    table = Table("silver.nowhere", "d", "o", depends_on=("bronze.fx_rates",), keys=("id",), order_by=("at",))

    assert missing_parts(table) == ["jobs/silver/nowhere.py"]


def test_walk_sees_a_missing_test(tmp_path: Path) -> None:
    assert missing_parts(tables.table("silver.orders"), tmp_path) == ["tests in tests/jobs/silver/test_orders.py"]


def test_walk_sees_a_missing_suite_a_missing_rule_and_an_unknown_column(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = tables.table("silver.orders")

    def plant(text: str) -> None:
        monkeypatch.setattr(suite, "load", lambda name: suite.parse(name, text))

    plant("expectations: []")
    assert "has no expectations" in missing_parts(orders)[0]
    plant("expectations: [{type: expect_column_values_to_not_be_null, kwargs: {column: nope}, severity: warning}]")
    assert missing_parts(orders) == [
        "a critical rule",
        "column nope, which its suite names",
        "a critical not-null rule for key order_id",
        "a quarantine rule for null order_id",
        "a quarantine rule for null updated_at",
    ]


def test_streams_messages_come_to_silver_and_gold_orders_and_customers() -> None:
    assert tuple(table.name for table in tables.LAKEHOUSE.refreshed) == (
        "silver.orders",
        "gold.dim_customers",
        "gold.fact_orders",
    )


def test_unknown_table_is_answered_with_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"no table 'silver\.order'; the registry has bronze\.fx_rates, "):
        tables.table("silver.order")
