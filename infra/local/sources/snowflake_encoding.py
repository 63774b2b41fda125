"""Encodes result columns as Snowflake does, where fakesnow's own encoding would hide a client's mistake.

fakesnow sends NULL timestamps as 1970-01-01, and NUMBER(18, 2) as a decimal. Snowflake sends the latter as integers
with a scale, and the connector turns them into doubles by default.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import fakesnow.arrow
import pyarrow as pa
import pyarrow.compute as pc

LARGEST_INTEGER_PRECISION = 18  # digits that always fit into 64 bits
UTC_OFFSET = 1440  # Snowflake counts the minutes of a zone from -24 hours

_fakesnow_to_sf = fakesnow.arrow.to_sf
_EPOCH_FIELDS = [
    pa.field("epoch", pa.int64(), nullable=False),
    pa.field("fraction", pa.int32(), nullable=False),
]


def timestamp_to_struct(ts: Any) -> Any:
    """A timestamp column as Snowflake's struct: seconds, nanoseconds and, if it has a zone, the offset.

    Raises:
        ValueError: the zone isn't UTC. DuckDB holds every timestamp with a zone in UTC here.
    """
    values = ts.combine_chunks() if isinstance(ts, pa.ChunkedArray) else ts
    if values.type.tz not in (None, "UTC"):
        raise ValueError(f"timestamps are held in UTC, not {values.type.tz}")
    microseconds = values.cast(pa.timestamp("us", values.type.tz)).cast(pa.int64())
    absent = values.is_null()
    filled = pc.fill_null(microseconds, 0)
    # Not by integer division, which rounds towards zero: before 1970 it gives a second too many.
    seconds = pc.floor_temporal(filled.cast(pa.timestamp("us")), unit="second").cast(pa.int64())
    fraction = pc.multiply(pc.subtract(filled, seconds), 1000).cast(pa.int32())
    arrays, fields = [pc.divide(seconds, 1_000_000), fraction], list(_EPOCH_FIELDS)
    if values.type.tz:
        arrays.append(pa.array([UTC_OFFSET] * len(values), pa.int32()))
        fields.append(pa.field("timezone", pa.int32(), nullable=False))
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=absent)


def to_snowflake(table: Any, rowtype: list[Any]) -> Any:
    """Fakesnow's encoding, but decimals of up to 18 digits become integers with the scale in the metadata."""
    encoded = _fakesnow_to_sf(table, rowtype)
    for index, field in enumerate(encoded.schema):
        if pa.types.is_decimal(field.type) and field.type.precision <= LARGEST_INTEGER_PRECISION:
            scaled = pc.multiply(encoded.column(index), pa.scalar(Decimal(10**field.type.scale)))
            encoded = encoded.set_column(index, field.with_type(pa.int64()), scaled.cast(pa.int64()))
    return encoded
