"""One column of a table: its name, its type, what it means, and who may see it."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DataType, StringType, StructField, StructType

# The class decides what a log, an alert or a report may show. Values that are `public` or `internal` may be shown.
# Those that are `confidential` or `restricted` (about a person, or a business secret) may never be shown.
Class = Literal["public", "internal", "confidential", "restricted"]
SHOWN = ("public", "internal")
CLASSES: tuple[Class, ...] = ("public", "internal", "confidential", "restricted")


def column(name: str, kind: DataType, comment: str, class_: Class = "internal") -> StructField:
    """A column with the comment and the class that the catalog shows.

    Args:
        name: lower case.
        kind: Spark's type.
        comment: what it means, its unit, its time zone.
        class_: who may see its values.
    """
    return StructField(name, kind, metadata={"comment": comment, "class": class_})


def text(name: str, comment: str, class_: Class = "internal") -> StructField:
    """A column of text."""
    return column(name, StringType(), comment, class_)


def arrow(schema: StructType) -> pa.Schema:
    """The same columns for Arrow; times are UTC, in microseconds."""
    return pa.schema([pa.field(field.name, field.type) for field in to_arrow_schema(schema, timestamp_utc=True)])
