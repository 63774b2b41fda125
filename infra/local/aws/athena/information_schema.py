"""`information_schema`: the catalog's databases, tables, columns and views as tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb

from infra.local.aws.athena.catalog import CATALOG, Catalog, columns_of, is_view, view_of
from infra.local.aws.athena.types import quoted, split

NAME = "information_schema"
_ENGINE_SCHEMA = "trino_information_schema"  # DuckDB has an information_schema of its own
_TABLE = ("table_catalog", "table_schema", "table_name")
_COLUMNS = {
    "schemata": ("catalog_name", "schema_name"),
    "tables": (*_TABLE, "table_type"),
    "columns": (*_TABLE, "column_name", "ordinal_position", "column_default", "is_nullable", "data_type"),
    "views": (*_TABLE, "view_definition"),
}
_NUMBERS = ("ordinal_position",)
_FROM_HIVE = {
    "string": "varchar", "int": "integer", "binary": "varbinary", "float": "real", "timestamp": "timestamp(3)",
}  # fmt: skip


def has(table: str) -> bool:
    """Whether it has a table of this name."""
    return table in _COLUMNS


def attach(connection: duckdb.DuckDBPyConnection, table: str, catalog: Catalog) -> tuple[str, str]:
    """Makes a table of the catalog as it is now. Returns its schema and name in the engine."""
    columns = _COLUMNS[table]
    types = ", ".join(f"{name} {'BIGINT' if name in _NUMBERS else 'VARCHAR'}" for name in columns)
    engine_name = f"{_ENGINE_SCHEMA}.{quoted(table)}"
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_ENGINE_SCHEMA}")
    connection.execute(f"CREATE OR REPLACE TABLE {engine_name} ({types})")
    if rows := list(_ROWS[table](catalog)):
        # All names are this module's own.
        places = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {engine_name} VALUES ({places})", rows)  # noqa: S608  # named by us
    return _ENGINE_SCHEMA, table


Row = tuple[str | int | None, ...]


def _schemata(catalog: Catalog) -> Iterator[Row]:
    for name in sorted([*catalog.databases(), NAME]):
        yield CATALOG, name


def _tables(catalog: Catalog) -> Iterator[Row]:
    for schema, table in _every(catalog):
        yield CATALOG, schema, table["Name"], "VIEW" if is_view(table) else "BASE TABLE"
    for name in _COLUMNS:
        yield CATALOG, NAME, name, "BASE TABLE"


def _columns(catalog: Catalog) -> Iterator[Row]:
    for schema, table in _every(catalog):
        for position, (name, type_, _) in enumerate(columns_of(table), start=1):
            yield CATALOG, schema, table["Name"], name, position, None, "YES", _type(type_, table)
    for table_name, names in _COLUMNS.items():
        for position, name in enumerate(names, start=1):
            type_ = "bigint" if name in _NUMBERS else "varchar"
            yield CATALOG, NAME, table_name, name, position, None, "YES", type_


def _views(catalog: Catalog) -> Iterator[Row]:
    for schema, table in _every(catalog):
        if view := view_of(table):
            yield CATALOG, schema, table["Name"], view.sql


_ROWS = {"schemata": _schemata, "tables": _tables, "columns": _columns, "views": _views}


def _every(catalog: Catalog) -> Iterator[tuple[str, dict[str, Any]]]:
    for schema in catalog.databases():
        for table in catalog.tables(schema):
            yield schema, table


def _type(hive: str, table: dict[str, Any]) -> str:
    """Trino's name of a Glue type. A time of a Delta table has a time zone."""
    is_delta = (table.get("Parameters") or {}).get("spark.sql.sources.provider") == "delta"
    return "timestamp(3) with time zone" if is_delta and hive.lower() == "timestamp" else presto(hive)


def presto(hive: str) -> str:
    """Trino's name of a Glue type: `array<struct<a:int>>` -> `array(row(a integer))`."""
    hive = hive.strip().lower()
    if inner := re.fullmatch(r"array<(.*)>", hive, re.DOTALL):
        return f"array({presto(inner[1])})"
    if inner := re.fullmatch(r"map<(.*)>", hive, re.DOTALL):
        return f"map({', '.join(map(presto, split(inner[1])))})"
    if inner := re.fullmatch(r"struct<(.*)>", hive, re.DOTALL):
        fields = (field.split(":", 1) for field in split(inner[1]))
        return f"row({', '.join(f'{name.strip()} {presto(type_)}' for name, type_ in fields)})"
    return _FROM_HIVE.get(hive, hive)
