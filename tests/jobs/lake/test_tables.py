"""Walks the registry: every table has its module, its suite and its test."""

from __future__ import annotations

from pathlib import Path

import pytest

from dq import rules, suite
from jobs.lake import table_module, tables
from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import LAYERS, Table

pytestmark = pytest.mark.usefixtures("spark")  # rules are compiled to Spark's columns

REPOSITORY = Path(__file__).resolve().parents[3]
NOT_NULL = "expect_column_values_to_not_be_null"
ROW_COUNT = "expect_table_row_count_to_be_between"


def missing_parts(table: Table, repository: Path = REPOSITORY) -> list[str]:
    """What a registered table lacks."""
    try:
        columns = table_module.load(table).SCHEMA.names
    except ConfigurationError as error:
        return [str(error)]
    test = repository / "tests" / "jobs" / table.layer / f"test_{table.short}.py"
    content = test.read_text() if test.is_file() else ""
    found = [] if "def test_" in content else [f"tests in {test.relative_to(repository)}"]
    if table.layer == "bronze":
        return found
    if found == [] and "\nGOOD = " not in content:
        found = [f"GOOD in {test.relative_to(repository)}: rows that keep every rule of the suite"]
    return found + _missing_rules(table, columns)


def _missing_rules(table: Table, columns: list[str]) -> list[str]:
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
        if key in ("column", "column_A", "column_B") and value not in columns
    }
    found += [f"column {name}, which its suite names" for name in sorted(unknown)]
    guarded = {rule.kwargs["column"] for rule in critical if rule.type == NOT_NULL}
    split_off = {rule.kwargs["column"] for rule in given.row_rules if rule.type == NOT_NULL}
    found += [f"a critical not-null rule for key {key}" for key in table.keys if key not in guarded]
    if not any(rule.type == ROW_COUNT and rule.kwargs.get("min_value", 0) > 0 for rule in critical):
        found.append(f"a critical {ROW_COUNT} with min_value 1: an empty table is a lost one")
    if table.layer == "silver":
        # A row without its key or its time can't take part in newest-wins.
        wanted = (*table.keys, *table.order_by[:1])
        found += [f"a quarantine rule for null {name}" for name in wanted if name not in split_off]
        if not any(rule.age for rule in given.rules):
            found.append("a rule on the age of its newest row, `min_value: {days_ago: 3}` (dq/freshness.py)")
    return found


@pytest.mark.parametrize("table", tables.every(), ids=lambda table: table.name)
def test_table_has_its_module_suite_and_test(table: Table) -> None:
    assert missing_parts(table) == []


def test_registry_has_the_tables_of_the_lakehouse() -> None:
    names = {table.name for table in tables.pipeline("lakehouse").tables}

    assert {"silver.fx_rates", "silver.orders", "silver.salesforce_accounts"} <= names
    assert {"gold.dim_customers", "gold.fact_orders"} <= names


@pytest.mark.parametrize("layer", LAYERS)
def test_no_file_is_left_without_a_table(layer: str) -> None:
    for folder in (REPOSITORY / "jobs" / layer, REPOSITORY / "dq" / "suites" / layer):
        if folder.is_dir():
            names = {file.stem for file in folder.iterdir() if not file.name.startswith("__")}
            assert names == {table.short for table in tables.layer(layer)}, folder


def test_walk_sees_a_table_without_module() -> None:
    table = Table(
        "silver.nowhere", "d", "o", depends_on=("bronze.fx_rates",), keys=("id",), order_by=("at",), zorder_by=("id",)
    )

    assert missing_parts(table) == ["silver.nowhere has no module: write jobs/silver/nowhere.py"]


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
        f"a critical {ROW_COUNT} with min_value 1: an empty table is a lost one",
        "a quarantine rule for null order_id",
        "a quarantine rule for null updated_at",
        "a rule on the age of its newest row, `min_value: {days_ago: 3}` (dq/freshness.py)",
    ]


@pytest.mark.parametrize("table", [*tables.layer("silver"), *tables.layer("gold")], ids=lambda table: table.name)
def test_rows_are_sorted_by_columns_with_file_statistics_or_it_is_said_why_not(table: Table) -> None:
    schema = table_module.load(table).SCHEMA

    assert table.zorder_by or len(table.no_zorder.split()) > 1
    assert all(table_module.has_statistics(schema, name) for name in table.zorder_by)


def test_streams_messages_reach_silver_and_gold_orders_and_customers() -> None:
    refreshed = [table.name for table in tables.pipeline("lakehouse").refreshed]

    assert refreshed == ["silver.orders", "gold.dim_customers", "gold.fact_orders"]


def test_error_for_an_unknown_table_or_pipeline_lists_those_that_exist() -> None:
    with pytest.raises(KeyError, match=r"no table 'silver\.order'; the registry has bronze\.fx_rates, "):
        tables.table("silver.order")
    with pytest.raises(KeyError, match="no pipeline 'lake'; the registry has lakehouse"):
        tables.pipeline("lake")


@pytest.mark.parametrize("table", tables.every(), ids=lambda table: table.name)
def test_table_belongs_to_one_pipeline(table: Table) -> None:
    assert table in tables.pipeline_of(table.name).tables
