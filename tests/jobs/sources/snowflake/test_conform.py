"""Whatever type Snowflake returns for a column: one of another kind is refused before a value is looked at."""

from __future__ import annotations

from itertools import product

import pyarrow as pa
import pytest
from pyspark.sql.types import (
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.lake.errors import SchemaContractError
from jobs.sources.snowflake.conform import conform

# What the connector returns for Snowflake's types.
ARRIVING = {
    "NUMBER(2,0)": pa.int8(),
    "NUMBER(18,0)": pa.int64(),
    "NUMBER(38,0)": pa.decimal128(38, 0),
    "NUMBER(18,2)": pa.decimal128(38, 2),
    "NUMBER(18,4)": pa.decimal128(38, 4),
    "FLOAT": pa.float64(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIME": pa.time64("ns"),
    "TIMESTAMP_NTZ(3)": pa.timestamp("ms"),
    "TIMESTAMP_NTZ(9)": pa.timestamp("ns"),
    "TIMESTAMP_LTZ(6)": pa.timestamp("us", "America/New_York"),
    "TIMESTAMP_TZ(9)": pa.timestamp("ns", "UTC"),
    "BINARY": pa.binary(),
}
WHOLE = {"NUMBER(2,0)", "NUMBER(18,0)", "NUMBER(38,0)"}
TIMES = {name for name in ARRIVING if name.startswith("TIMESTAMP")}
KEPT: dict[DataType, set[str]] = {
    StringType(): {"VARCHAR"},
    BinaryType(): {"BINARY"},
    BooleanType(): {"BOOLEAN"},
    DateType(): {"DATE"},
    TimestampType(): TIMES,
    DoubleType(): {"FLOAT"},
    FloatType(): set(),
    IntegerType(): WHOLE,
    LongType(): WHOLE,
    DecimalType(18, 0): WHOLE,
    DecimalType(18, 2): {*WHOLE, "NUMBER(18,2)"},
    DecimalType(38, 12): {*WHOLE, "NUMBER(18,2)", "NUMBER(18,4)"},
}


def conformed(array: pa.Array, wanted: DataType) -> pa.Table:
    return conform("ORDERS", StructType([StructField("thing", wanted)]), pa.table({"THING": array}))


@pytest.mark.parametrize(
    ("arriving", "wanted"),
    list(product(ARRIVING, KEPT)),
    ids=lambda kind: kind if isinstance(kind, str) else repr(kind),
)
def test_column_keeps_its_kind_or_is_refused_though_it_has_no_value(arriving: str, wanted: DataType) -> None:
    column = pa.array([None], ARRIVING[arriving])

    if arriving in KEPT[wanted]:
        assert conformed(column, wanted)["thing"].to_pylist() == [None]
        return
    with pytest.raises(SchemaContractError, match=r"snowflake: column THING of ORDERS is .* and has to be") as caught:
        conformed(column, wanted)
    assert str(ARRIVING[arriving]) in str(caught.value)
    assert "make a view in Snowflake that casts the column" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "arriving", "wanted"),
    [
        (12.3, "FLOAT", DecimalType(18, 2)),
        ("12.30", "VARCHAR", DecimalType(18, 2)),
        (True, "BOOLEAN", StringType()),
        (0, "TIMESTAMP_NTZ(9)", DateType()),
        (7, "NUMBER(18,0)", StringType()),
        ("2026-10-01", "VARCHAR", DateType()),
    ],
    ids=lambda value: str(value),
)
def test_value_that_a_cast_would_take_is_refused_all_the_same(value: object, arriving: str, wanted: DataType) -> None:
    with pytest.raises(SchemaContractError, match="column THING"):
        conformed(pa.array([value], ARRIVING[arriving]), wanted)


def test_number_with_too_many_digits_stands_beside_its_column() -> None:
    (row,) = conformed(pa.array([2**40], pa.int64()), IntegerType()).to_pylist()

    assert row == {"thing": None, "unread": '{"thing": "1099511627776"}'}


def test_all_columns_of_another_kind_are_named_at_once() -> None:
    schema = StructType([StructField("amount", DecimalType(18, 2)), StructField("status", StringType())])
    batch = pa.table({"AMOUNT": [1.5], "STATUS": [True]})

    with pytest.raises(SchemaContractError) as caught:
        conform("ORDERS", schema, batch)

    assert (
        "column AMOUNT of ORDERS is double and has to be decimal128(18, 2); column STATUS of ORDERS is bool and has "
        "to be string" in str(caught.value)
    )
