"""`information_schema` shows the catalog as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.aws.athena.information_schema import presto
from tests.infra.local.aws.athena.engine import Athena, StoredCatalog

ORDERS = {
    "Name": "orders",
    "TableType": "EXTERNAL_TABLE",
    "Parameters": {"spark.sql.sources.provider": "delta"},
    "StorageDescriptor": {
        "Columns": [{"Name": "order_id", "Type": "string"}, {"Name": "updated_at", "Type": "timestamp"}]
    },
    "PartitionKeys": [{"Name": "day", "Type": "date"}],
}
PAID = {"Name": "paid", "TableType": "VIRTUAL_VIEW", "StorageDescriptor": {"Columns": [{"Name": "n", "Type": "int"}]}}


@pytest.fixture
def athena(tmp_path: Path) -> Athena:
    return Athena(tmp_path, StoredCatalog(gold=[PAID], silver=[ORDERS]))


def test_databases_and_tables_are_listed(athena: Athena) -> None:
    assert athena.rows("SELECT schema_name FROM information_schema.schemata ORDER BY 1") == [
        ["gold"], ["information_schema"], ["silver"],
    ]  # fmt: skip
    sql = """
        SELECT table_schema, tables.table_name, table_type FROM awsdatacatalog.information_schema.tables
        WHERE table_schema <> 'information_schema' ORDER BY 1"""
    assert athena.rows(sql) == [["gold", "paid", "VIEW"], ["silver", "orders", "BASE TABLE"]]


def test_columns_have_their_place_and_trino_s_types(athena: Athena) -> None:
    sql = """
        SELECT c.column_name, c.ordinal_position, c.data_type, c.is_nullable FROM information_schema.columns c
        JOIN information_schema.tables t ON c.table_schema = t.table_schema AND c.table_name = t.table_name
        WHERE t.table_name = 'orders' ORDER BY c.ordinal_position"""
    types, rows = athena.result(sql)
    assert types == ["varchar", "bigint", "varchar", "varchar"]
    assert rows == [
        ["order_id", "1", "varchar", "YES"],
        ["updated_at", "2", "timestamp(3) with time zone", "YES"],
        ["day", "3", "date", "YES"],
    ]


def test_table_that_it_lacks_is_said(athena: Athena) -> None:
    reason = athena.failure("SELECT * FROM information_schema.nothing")
    assert reason == "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.information_schema.nothing' does not exist"


@pytest.mark.parametrize(
    ("hive", "trino"),
    [
        ("string", "varchar"),
        ("decimal(18,2)", "decimal(18,2)"),
        ("array<struct<start:timestamp,n:int>>", "array(row(start timestamp(3), n integer))"),
        ("map<string,array<bigint>>", "map(varchar, array(bigint))"),
    ],
)
def test_types_of_glue_have_trino_s_names(hive: str, trino: str) -> None:
    assert presto(hive) == trino
