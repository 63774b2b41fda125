"""A gold table's inputs with all columns that their modules have.

A release brings a column, and the table's own step adds it to the lake when it next runs. A gold step of that release
may come before: another DAG builds it. Until then the column is null, as it is in the rows from before.
"""

from __future__ import annotations

from typing import cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from jobs.lake import table_module, tables
from jobs.lake.delta.changes import AFTER, BEFORE


def of_rows(rows: DataFrame, name: str) -> DataFrame:
    """The rows of a table, with its missing columns as null."""
    return rows.withColumns({field.name: _null(field) for field in _missing(rows.schema, name)})


def of_changes(net: DataFrame, name: str) -> DataFrame:
    """The net changes of a table (`changes.net`), with its missing columns as null in both states."""
    for state in (BEFORE, AFTER):
        for field in _missing(cast(StructType, net.schema[state].dataType), name):
            net = net.withColumn(state, F.col(state).withField(field.name, _null(field)))
    return net


def _missing(held: StructType, name: str) -> list[StructField]:
    return [field for field in table_module.load(tables.table(name)).SCHEMA if field.name not in held.names]


def _null(field: StructField) -> Column:
    return F.lit(None).cast(field.dataType)
