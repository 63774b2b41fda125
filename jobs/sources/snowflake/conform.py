"""Gives what Snowflake returns our names and types. A column of another kind is refused, never cast."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.types import StructField, StructType

from jobs.lake.errors import SchemaContractError
from jobs.lake.schema import arrow, text
from jobs.lake.unfit import UNREAD

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


def unread() -> StructField:
    """The column that keeps what no other column of a bronze table can hold."""
    return text(UNREAD, "values that their columns can't hold, as JSON: column to text; null for none", "confidential")


def columns(schema: StructType) -> list[str]:
    """The columns of the source: all of bronze's but `unread`."""
    return [name for name in schema.names if name != UNREAD]


def conform(name: str, schema: StructType, batch: pa.Table) -> pa.Table:
    """A batch with our names and types: NUMBER to decimal or integer, times to UTC microseconds.

    Nanoseconds are cut, never rounded, so that a time stays in its window. A value of the right kind that does not fit
    its column (a number with too many digits) is null there and stands as text in `unread`: silver refuses its row.

    Args:
        name: the table in Snowflake.
        schema: what its module says, with `unread`.
        batch: as the connector gives it.

    Raises:
        SchemaContractError: columns are of another kind. The message names each with both types.
    """
    wanted = [field for field in arrow(schema) if field.name != UNREAD]
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
    kept, misfits = dict[str, pa.ChunkedArray](), dict[int, dict[str, str]]()
    for field in wanted:
        column = _exact(batch.column(field.name.upper()), field.type)
        kept[field.name], lost = _cast(column, field.type)
        given = batch.column(field.name.upper())
        for row in lost:
            misfits.setdefault(row, {})[field.name] = pc.cast(given.slice(row, 1), pa.string())[0].as_py()
    texts = [json.dumps(misfits[row]) if row in misfits else None for row in range(batch.num_rows)]
    return pa.table({**kept, UNREAD: pa.array(texts, pa.string())})


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


def _exact(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """A column whose cast neither rounds nor moves a value."""
    is_now = column.type
    if pa.types.is_timestamp(is_now) and is_now.tz is None:
        column = pc.assume_timezone(column, "UTC")
    if pa.types.is_timestamp(is_now) and is_now.unit == "ns":
        column = pc.floor_temporal(column, unit="microsecond")  # a cast goes towards 1970
    if pa.types.is_integer(is_now) and pa.types.is_decimal(wanted):
        column = pc.cast(column, _ANY_INTEGER)  # Arrow casts integers only to decimals that hold them all
    return column


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> tuple[pa.ChunkedArray, list[int]]:
    """The column in another type, null where a value does not fit; and the rows of those values."""
    try:
        return pc.cast(column, wanted), []
    except pa.ArrowInvalid:  # some value does not fit: which ones is asked below
        fits = [_is_held(column.slice(row, 1), wanted) for row in range(len(column))]
        return pc.cast(pc.if_else(pa.array(fits), column, None), wanted), [n for n, fit in enumerate(fits) if not fit]


def _is_held(one: pa.ChunkedArray, wanted: pa.DataType) -> bool:
    try:
        pc.cast(one, wanted)
    except pa.ArrowInvalid:  # that is the answer
        return False
    return True
