"""What a reader or compute makes has the types of SCHEMA, or is refused before a row is read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib import import_module
from itertools import product
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    NullType,
    ShortType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from jobs.lake import conform, tables
from jobs.lake.errors import SchemaContractError
from tests.jobs.lakehouse import schema_of

BIG = DecimalType(38, 12)
KINDS: tuple[DataType, ...] = (
    ByteType(), ShortType(), IntegerType(), LongType(), DecimalType(10, 0), DecimalType(18, 2), DecimalType(20, 2),
    DecimalType(18, 4), BIG, FloatType(), DoubleType(), StringType(), BinaryType(), BooleanType(), DateType(),
    TimestampType(), TimestampNTZType(), ArrayType(StringType()), NullType(),
)  # fmt: skip
# What may become what, beside each type itself, and null, which may become anything.
LOSSLESS = {
    "tinyint": {"smallint", "int", "bigint", "decimal(10,0)", "decimal(18,2)", "decimal(20,2)", "decimal(18,4)"},
    "smallint": {"int", "bigint", "decimal(10,0)", "decimal(18,2)", "decimal(20,2)", "decimal(18,4)"},
    "int": {"bigint", "decimal(10,0)", "decimal(18,2)", "decimal(20,2)", "decimal(18,4)"},
    "bigint": set[str](),
    "decimal(10,0)": {"decimal(18,2)", "decimal(20,2)", "decimal(18,4)"},
    "decimal(18,2)": {"decimal(20,2)"},
    "decimal(18,4)": set[str](),
    "decimal(20,2)": set[str](),
    "float": {"double"},
}
FITS_BIG = {"tinyint", "smallint", "int", "bigint", "decimal(10,0)", "decimal(18,2)", "decimal(20,2)", "decimal(18,4)"}


@pytest.mark.parametrize(
    ("is_now", "wanted"), list(product(KINDS, KINDS)), ids=lambda kind: kind.simpleString().replace("(", "_").strip(")")
)
def test_only_what_can_lose_nothing_is_cast(is_now: DataType, wanted: DataType) -> None:
    a, b = is_now.simpleString(), wanted.simpleString()
    expected = a in (b, "void") or b in LOSSLESS.get(a, ()) or (b == "decimal(38,12)" and a in FITS_BIG)

    assert conform.is_lossless(is_now, wanted) is expected


def test_message_names_every_column_with_both_types(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "amount double, day string, same int")
    schema = StructType(
        [
            StructField("amount", DecimalType(18, 2)),
            StructField("day", DateType()),
            StructField("same", LongType()),
            StructField("status", StringType()),
        ]
    )

    with pytest.raises(SchemaContractError) as caught:
        conform.columns(frame, schema, "silver.x")

    assert str(caught.value).startswith(
        "silver.x: column amount is double and has to be decimal(18,2); column day is string and has to be date; "
        "column status is missing and has to be string. Nothing was written."
    )


def test_nothing_is_read_to_find_that_out(spark: SparkSession) -> None:
    def fail(_: Any) -> Any:
        raise AssertionError("a row was read")

    frame = spark.range(1).select(F.udf(fail, "string")("id").alias("n"))

    with pytest.raises(SchemaContractError, match="column n is string and has to be int"):
        conform.columns(frame, StructType([StructField("n", IntegerType())]), "x")


def test_wider_types_and_order_are_given_and_other_columns_left_out(spark: SparkSession) -> None:
    values = (date(2026, 10, 1), 3, Decimal("1.50"), None)
    frame = spark.createDataFrame([values], "day date, n int, amount decimal(18,2), nothing string")
    schema = StructType([StructField("amount", DecimalType(20, 4)), StructField("n", LongType())])

    found = frame.select(conform.columns(frame, schema, "x"))

    assert [field.dataType for field in found.schema] == [DecimalType(20, 4), LongType()]
    assert found.collect() == [(Decimal("1.5000"), 3)]


@pytest.mark.parametrize("table", [t for t in tables.every() if t.layer != "bronze"], ids=lambda table: table.name)
def test_every_module_makes_the_types_that_it_says(spark: SparkSession, table: tables.Table) -> None:
    module = import_module(table.module)

    def empty(name: str) -> DataFrame:
        return spark.createDataFrame([], schema_of(name))

    if table.layer == "gold":
        made = {table.name: module.compute({name: empty(name) for name in table.depends_on})}
    else:
        made = {name: module.READERS[name](empty(name)) for name in table.depends_on}

    for name, frame in made.items():
        assert conform.columns(frame, module.SCHEMA, name)
