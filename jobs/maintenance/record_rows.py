"""Records as rows: their JSON with the types that the catalog gives its columns, as Athena's SerDe reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jobs.catalog.ops_tables import JsonTable
from jobs.lake.state import history
from jobs.lake.state.day_folders import COLUMN


def table(kind: JsonTable, schema: pa.Schema, bodies: Mapping[str, bytes]) -> tuple[pa.Table, list[str]]:
    """Rows of records, and the keys of objects that hold no record, or a value that its column can't hold.

    Args:
        kind: of the records.
        schema: of their history.
        bodies: the content of each object, by key.
    """
    rows, unread = [], []
    for key, body in bodies.items():
        try:
            found = _row(kind, schema, key, body.decode().strip())
            rows.append(pa.Table.from_pylist([found], schema))
        except (ValueError, TypeError, OverflowError):
            unread.append(key)
    return pa.concat_tables([schema.empty_table(), *rows]).combine_chunks(), unread


def day_of(kind: JsonTable, key: str) -> str:
    """The day in whose folder an object is, `YYYY-MM-DD`."""
    return key.removeprefix(f"{kind.folder}{COLUMN}=").partition("/")[0]


def _row(kind: JsonTable, schema: pa.Schema, key: str, text: str) -> dict[str, Any]:
    record = _object(json.loads(text))
    day = day_of(kind, key)
    own = {name: _value(record.get(name), schema.field(name).type) for name, _, _ in kind.columns}
    return {**own, COLUMN: day, history.MONTH: day[:7], history.KEY: key, history.CONTENT: text}


def _value(found: Any, type_: pa.DataType) -> Any:
    """A value of JSON as Arrow takes it for this type."""
    if found is None:
        return None
    if pa.types.is_map(type_):
        return [(str(key), _value(item, type_.item_type)) for key, item in _object(found).items()]
    if pa.types.is_list(type_):
        return [_value(item, type_.value_type) for item in found]
    if pa.types.is_struct(type_):
        return {field.name: _value(_object(found).get(field.name), field.type) for field in type_}
    if pa.types.is_integer(type_) and isinstance(found, float):
        if not found.is_integer():
            raise ValueError("no whole number")
        return int(found)
    if not (pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_)):
        return found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))
    return found


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise TypeError("no object of JSON")
    return found
