"""Gives a frame the types of a SCHEMA where that can't lose a value, whatever the day's data is; refuses the rest."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ByteType,
    DataType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    NullType,
    ShortType,
    StructType,
)

from jobs.lake.errors import SchemaContractError

# Digits of each kind of integer, from the narrowest on.
_DIGITS: dict[type[DataType], int] = {ByteType: 3, ShortType: 5, IntegerType: 10, LongType: 19}


def columns(frame: DataFrame, schema: StructType, what: str) -> list[Column]:
    """The schema's columns of a frame, in their types. Columns that the schema does not have are left out.

    It looks at types alone: no row is read.

    Args:
        frame: what a reader or `compute` made.
        schema: the module's SCHEMA.
        what: whose frame it is, for the message.

    Raises:
        SchemaContractError: a column is missing, or a cast could lose a value. The message names it and both types.
    """
    made = {field.name: field.dataType for field in frame.schema}
    broken = [
        f"column {field.name} is missing and has to be {field.dataType.simpleString()}"
        if field.name not in made
        else f"column {field.name} is {made[field.name].simpleString()} and has to be {field.dataType.simpleString()}"
        for field in schema
        if field.name not in made or not is_lossless(made[field.name], field.dataType)
    ]
    if broken:
        raise SchemaContractError(
            f"{what}: {'; '.join(broken)}. Nothing was written. Cast or round it in the table's module, where it can "
            "be read, or mend its SCHEMA."
        )
    return [F.col(field.name).cast(field.dataType).alias(field.name) for field in schema]


def is_lossless(is_now: DataType, wanted: DataType) -> bool:
    """Whether every value of one type has the same value in the other, of the same kind."""
    if isinstance(is_now, NullType) or is_now.simpleString() == wanted.simpleString():
        return True
    if isinstance(is_now, FloatType):
        return isinstance(wanted, DoubleType)
    if isinstance(is_now, DecimalType):
        whole, scale = is_now.precision - is_now.scale, is_now.scale
    elif type(is_now) in _DIGITS:
        whole, scale = _DIGITS[type(is_now)], 0
        if type(wanted) in _DIGITS:
            return whole <= _DIGITS[type(wanted)]
    else:
        return False
    return isinstance(wanted, DecimalType) and wanted.precision - wanted.scale >= whole and wanted.scale >= scale
