"""The column types of records, which the catalog writes as Hive does, for Arrow and for Presto."""

from __future__ import annotations

import pyarrow as pa

_SCALARS = {"string": pa.string(), "bigint": pa.int64(), "double": pa.float64(), "boolean": pa.bool_()}
_PRESTO = {pa.string(): "varchar", pa.int64(): "bigint", pa.float64(): "double", pa.bool_(): "boolean"}


def arrow(hive: str) -> pa.DataType:
    """`map<string,bigint>` as Arrow's type.

    Raises:
        KeyError: a type that no column of a record has so far.
    """
    outer, _, rest = hive.partition("<")
    inner = rest.removesuffix(">")
    match outer:
        case "array":
            return pa.list_(pa.field("element", arrow(inner)))
        case "map":
            key, _, value = inner.partition(",")  # keys are text
            return pa.map_(arrow(key), arrow(value))
        case "struct":
            named = (field.split(":", 1) for field in inner.split(","))  # fields are scalars
            return pa.struct([pa.field(name, arrow(type_)) for name, type_ in named])
    return _SCALARS[hive]


def presto(type_: pa.DataType) -> str:
    """Arrow's type as Presto writes it: `array(row(rule varchar))`."""
    if pa.types.is_map(type_):
        return f"map({presto(type_.key_type)}, {presto(type_.item_type)})"
    if pa.types.is_list(type_):
        return f"array({presto(type_.value_type)})"
    if pa.types.is_struct(type_):
        return f"row({', '.join(f'{field.name} {presto(field.type)}' for field in type_)})"
    return _PRESTO[type_]
