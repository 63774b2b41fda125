"""Gives what Snowflake returns our names and types. A column of another kind is refused, never cast."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.types import StructType

from jobs.lake.errors import DataError, SchemaContractError
from jobs.lake.schema import SHOWN, arrow

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
        advice = {
            _advice(field.name.upper(), batch.column(field.name.upper()).type, field.type): None for field in wanted
        }
        raise SchemaContractError(
            f"snowflake: {'; '.join(broken)}. Nothing was written. Fix the source. If its type changed on "
            "purpose, make a view in Snowflake that casts the column, and name the view in the module's SourceTable."
            f"{''.join(advice)}"
        )
    return pa.table({field.name: _cast(name, schema, batch, field) for field in wanted})


def _advice(column: str, is_now: pa.DataType, wanted: pa.DataType) -> str:
    """How a view casts without losing anything quietly: what does not fit becomes null, and silver's rules see it."""
    if pa.types.is_decimal(wanted) and (
        pa.types.is_floating(is_now) or (pa.types.is_decimal(is_now) and is_now.scale > wanted.scale)
    ):
        # A FLOAT has 53 bits: beyond this, it can't tell a last place from the next.
        whole = min(10 ** (wanted.precision - wanted.scale), 2**53 // 10**wanted.scale)
        limit = f"ABS({column}) < {whole} AND " if pa.types.is_floating(is_now) else ""
        return (
            f" A plain CAST rounds {column} quietly: let the view give IFF({limit}{column} = ROUND({column}, "
            f"{wanted.scale}), CAST({column} AS NUMBER({wanted.precision}, {wanted.scale})), NULL)."
        )
    if pa.types.is_timestamp(is_now) and pa.types.is_date(wanted):
        return (
            f" A plain CAST of {column} may give the day before or after: say whose day counts, with "
            f"CAST(CONVERT_TIMEZONE('UTC', {column}) AS DATE) or another zone."
        )
    return ""


def is_kept(is_now: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether both types are of one kind, and the wanted one has room for every digit after the decimal point.

    Whether it has room for those before is judged by values: the connector gives every NUMBER 38 digits.
    """
    if pa.types.is_floating(is_now) and pa.types.is_floating(wanted):
        return bool(is_now.bit_width <= wanted.bit_width)
    if pa.types.is_decimal(is_now) and is_now.scale > getattr(wanted, "scale", 0):
        return False
    return any(any(test(is_now) for test in tests) and any(test(wanted) for test in tests) for tests in _KINDS.values())


def _cast(name: str, schema: StructType, batch: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    column = batch.column(field.name.upper())
    is_now = column.type
    if pa.types.is_timestamp(is_now) and is_now.tz is None:
        column = pc.assume_timezone(column, "UTC")
    if pa.types.is_timestamp(is_now) and is_now.unit == "ns":
        column = pc.floor_temporal(column, unit="microsecond")  # a cast goes towards 1970
    try:
        if pa.types.is_integer(is_now) and pa.types.is_decimal(field.type):
            column = pc.cast(column, _ANY_INTEGER)  # Arrow casts integers only to decimals that hold them all
        return pc.cast(column, field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # not chained: it quotes the value
        raise DataError(
            f"snowflake: column {field.name.upper()} of {name} is {is_now} and does not fit {field.type}"
            f"{_place(schema, batch, column, field.type)}. Nothing was written. Fix the source, or change the table's "
            "schema on purpose."
        ) from None


def _place(schema: StructType, batch: pa.Table, column: pa.ChunkedArray, wanted: pa.DataType) -> str:
    """The first row whose value does not fit, by its first column if that may be shown: it is the key."""
    for row in range(len(column)):
        try:
            pc.cast(column.slice(row, 1), wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # this is the row: the caller raises with its place
            key = schema.fields[0]
            if key.metadata.get("class") in SHOWN:
                return f" in the row with {key.name.upper()} {batch.column(key.name.upper())[row].as_py()!r}"
            return f" in row {row + 1} of the part"
    return ""
