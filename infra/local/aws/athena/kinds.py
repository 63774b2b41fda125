"""Kinds of types, and which of them Trino compares, adds and joins. DuckDB casts texts to whatever is beside them."""

from __future__ import annotations

import re

from sqlglot import exp

from infra.local.aws.athena.errors import QueryError, line_and_column
from infra.local.aws.athena.types import column

NUMBER, TEXT, BOOLEAN, DATE, TIME, BINARY, INTERVAL, ARRAY, MAP, ROW = (
    "number", "text", "boolean", "date", "time", "binary", "interval", "array", "map", "row",
)  # fmt: skip
UNKNOWN = "unknown"  # of NULL, which goes with everything; so do types that Trino lacks
_KINDS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER"), NUMBER),
    **dict.fromkeys(("DOUBLE", "FLOAT"), NUMBER),
    **dict.fromkeys(("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), DATE),
    "TIMESTAMP WITH TIME ZONE": DATE,
    "TIME": TIME,
    "VARCHAR": TEXT,
    "BOOLEAN": BOOLEAN,
    "BLOB": BINARY,
    "INTERVAL": INTERVAL,
}  # fmt: skip
_INTEGERS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 19, "UINTEGER": 19, "UBIGINT": 19}


def kind(type_: str) -> str:
    """The kind of a DuckDB type."""
    if type_.startswith("DECIMAL"):
        return NUMBER
    if type_.endswith("]"):
        return ARRAY
    for prefix, kind_ in (("MAP(", MAP), ("STRUCT(", ROW)):
        if type_.startswith(prefix):
            return kind_
    return _KINDS.get(type_, UNKNOWN)


def together(types: list[str]) -> bool:
    """Whether Trino finds a type for all of them."""
    return len({kind(type_) for type_ in types} - {UNKNOWN}) <= 1


def is_integer(type_: str) -> bool:
    """Whether a type is one of Trino's integers."""
    return type_ in _INTEGERS


def decimal(type_: str) -> tuple[int, int] | None:
    """(precision, scale) of an exact type in decimal arithmetic."""
    if found := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", type_):
        return int(found[1]), int(found[2])
    return (_INTEGERS[type_], 0) if type_ in _INTEGERS else None


def name(type_: str, node: exp.Expr | None = None) -> str:
    """A type as Trino's errors show it. A literal's text has its length."""
    if isinstance(node, exp.Literal) and node.is_string:
        return f"varchar({len(node.name)})"
    return column("", type_).presto


def mismatch(message: str, node: exp.Expr, sql: str, code: str = "TYPE_MISMATCH") -> QueryError:
    """The refusal of an expression."""
    return QueryError(code, message, line_and_column(node, sql))
