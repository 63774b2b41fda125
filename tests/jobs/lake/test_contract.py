"""The schema contract on schemas alone."""

from __future__ import annotations

import pytest
from pyspark.sql.types import DecimalType, LongType, StringType, StructField, StructType

from jobs.lake import contract
from jobs.lake.errors import DataError, SchemaContractError

TABLE = StructType([StructField("id", StringType()), StructField("amount", DecimalType(18, 2))])


def test_same_schema_adds_nothing() -> None:
    assert contract.new_columns("t", TABLE, TABLE) == []


def test_comments_and_order_of_columns_are_no_difference() -> None:
    batch = StructType([TABLE["amount"], StructField("id", StringType(), metadata={"comment": "the id"})])

    assert contract.new_columns("t", TABLE, batch) == []


def test_new_columns_are_named() -> None:
    batch = StructType([*TABLE, StructField("more", LongType())])

    assert contract.new_columns("t", TABLE, batch) == ["more"]


def test_every_break_is_named_with_both_types_at_once() -> None:
    batch = StructType([StructField("amount", DecimalType(18, 4)), StructField("more", LongType())])

    with pytest.raises(SchemaContractError) as caught:
        contract.new_columns("bronze.x", TABLE, batch)

    message = str(caught.value)
    assert message.startswith("bronze.x: ")
    assert "column id (string) is gone" in message
    assert "column amount was decimal(18,2) and is decimal(18,4)" in message
    assert "Nothing was written" in message
    assert isinstance(caught.value, DataError)
