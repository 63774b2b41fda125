"""Gives what Snowflake returns our names and types. A column of another kind is refused, never cast."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.types import StructType

from jobs.lake.errors import DataError, SchemaContractError
from jobs.lake.schema import arrow

_ANY_INTEGER = pa.decimal128(21, 2)
_KINDS = {
    "number": (pa.types.is_integer, pa.types.is_decimal),
    "float": (pa.types.is_floating,),
    "text": (pa.types.is_string, pa.types.is_large_string),
    "true or false": (pa.types.is_boolean,),
    "date": (pa.types.is_date,),
    "time": (pa.types.is_timestamp,),
    "bytes": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary),
}


def conform(name: str, schema: StructType, batch: pa.Table) -> pa.Table:
    """A batch with our names and types: NUMBER to decimal or integer, times to UTC microseconds.

    Nanoseconds are cut, never rounded, so that a time stays in its window.

    Args:
        name: the table in Snowflake.
        schema: what its module says.
        batch: as the connector gives it.

    Raises:
        SchemaContractError: columns are of another kind. The message names each with both types.
        DataError: a number of the right kind has too many digits for its column.
    """
    wanted = arrow(schema)
    broken = [
        f"column {field.name.upper()} of {name} is {is_now} and has to be {field.type}"
        for field in wanted
        if not is_kept(is_now := batch.column(field.name.upper()).type, field.type)
    ]
    if broken:
        raise SchemaContractError(
            f"snowflake: {'; '.join(broken)}. Nothing was written. Fix the source. If its type changed on "
            "purpose, make a view in Snowflake that casts the column, and name the view in the module's SourceTable."
        )
    return pa.table({field.name: _cast(name, batch, field) for field in wanted})


def is_kept(is_now: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether both types are of one kind, and the wanted one has room for every digit after the decimal point.

    Whether it has room for those before is judged by values: the connector gives every NUMBER 38 digits.
    """
    if pa.types.is_floating(is_now) and pa.types.is_floating(wanted):
        return bool(is_now.bit_width <= wanted.bit_width)
    if pa.types.is_decimal(is_now) and is_now.scale > getattr(wanted, "scale", 0):
        return False
    return any(any(test(is_now) for test in tests) and any(test(wanted) for test in tests) for tests in _KINDS.values())


def _cast(name: str, batch: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    column = batch.column(field.name.upper())
    is_now = column.type
    if pa.types.is_timestamp(is_now) and is_now.tz is None:
        column = pc.assume_timezone(column, "UTC")
    try:
        if pa.types.is_integer(is_now) and pa.types.is_decimal(field.type):
            column = pc.cast(column, _ANY_INTEGER)  # Arrow casts integers only to decimals that hold them all
        return pc.cast(column, field.type, safe=not pa.types.is_timestamp(field.type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"snowflake: column {field.name.upper()} of {name} is {is_now} and does not fit {field.type} "
            f"({error}). Nothing was written. Fix the source, or change the table's schema on purpose."
        ) from error
