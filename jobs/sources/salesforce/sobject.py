"""A Salesforce object: which of its fields are read, and how a record becomes a row of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa
from pyspark.sql.types import StructField, StructType

from jobs.lake.schema import arrow

Kind = Literal["text", "integer", "number", "boolean", "time"]


@dataclass(frozen=True)
class SObject:
    """One object.

    `Id`, `SystemModstamp` and `IsDeleted` are among its fields: windows, reconciliation and newest-wins need them.
    Every field is kept as text, so that REST and Bulk 2.0 give the same rows.

    Attributes:
        name: in Salesforce's API, such as `Account`.
        fields: the column of each field that is read, by its API name.
        kinds: what the text of a field is in Salesforce, and what silver takes it for; fields that are not named are
            text there too. If it is empty, no field's kind is judged.
    """

    name: str
    fields: Mapping[str, StructField]
    kinds: Mapping[str, Kind] = field(default_factory=dict)

    @cached_property
    def schema(self) -> StructType:
        """The columns."""
        return StructType(list(self.fields.values()))

    @cached_property
    def arrow(self) -> pa.Schema:
        return arrow(self.schema)

    def rows(self, records: Sequence[Mapping[str, Any]]) -> pa.Table:
        """Records as they come, by REST or from Bulk 2.0's CSV."""
        rows = [{column.name: _text(record[name]) for name, column in self.fields.items()} for record in records]
        return pa.Table.from_pylist(rows, self.arrow)


def column_name(field: str) -> str:
    """`SystemModstamp` -> `system_modstamp`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field).lstrip("_")


def _text(value: Any) -> str | None:
    r"""The same text for JSON and CSV: an empty value is null, and booleans are in lower case.

    JSON can spell half a surrogate pair, which is what Salesforce leaves of an emoji that it cuts; no table can hold
    it. It is written out, such as \ud83d.
    """
    if value is None or value == "":
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode("utf-8", "backslashreplace").decode()
