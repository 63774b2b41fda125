"""The schema contract on schemas alone."""

from __future__ import annotations

import pytest
from pyspark.sql.types import DecimalType, LongType, StringType, StructField, StructType

from jobs.lake import contract
from jobs.lake.delta.column_nulls import Nulls
from jobs.lake.errors import DataError, SchemaContractError

TABLE = StructType([StructField("id", StringType()), StructField("amount", DecimalType(18, 2))])


def test_same_schema_adds_nothing() -> None:
    assert contract.new_columns("t", TABLE, TABLE) == []


def test_comments_and_order_of_columns_do_not_matter() -> None:
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


def test_column_that_suddenly_turns_null_is_refused_with_its_earlier_share_of_nulls() -> None:
    before = {"id": [Nulls(100, 0)], "email": [Nulls(30, 2), Nulls(70, 3)], "more": [Nulls(100, 0)]}

    with pytest.raises(SchemaContractError) as caught:
        contract.sudden_nulls("bronze.x", 20, {"id": 0, "email": 20, "more": 19}, before)

    assert str(caught.value) == (
        "bronze.x: column email is null in all 20 rows; of the newest 100 rows before, 5.0% were null. Nothing was "
        "written. Fix the source; if this is intended, run again with `--accept null_column`."
    )


def test_every_column_that_turned_null_is_named_at_once() -> None:
    with pytest.raises(SchemaContractError, match=r"column a is null.*; column b is null"):
        contract.sudden_nulls("t", 50, {"a": 50, "b": 50}, {"a": [Nulls(9, 0)], "b": [Nulls(9, 0)]})


@pytest.mark.parametrize(
    ("rows", "before"),
    [
        (19, [Nulls(100, 0)]),
        (0, [Nulls(100, 0)]),
        (20, [Nulls(100, 6)]),
        (20, [Nulls(20, 20), Nulls(10_000, 0)]),
        (20, []),
        (20, None),
    ],
    ids=["small batch", "no rows", "often null before", "taken before", "no rows before", "new column"],
)
def test_null_column_that_is_plausible_is_accepted(rows: int, before: list[Nulls] | None) -> None:
    known = {} if before is None else {"email": before}

    contract.sudden_nulls("t", rows, {"email": rows}, known)


def test_small_batch_that_lacked_the_column_does_not_make_it_usual() -> None:
    with pytest.raises(SchemaContractError, match="column email"):
        contract.sudden_nulls("t", 20, {"email": 20}, {"email": [Nulls(2, 2), Nulls(1000, 0)]})
