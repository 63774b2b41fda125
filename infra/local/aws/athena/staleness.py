"""Whether a view still gives the columns that its entry in Glue says: Trino refuses one that doesn't."""

from __future__ import annotations

import re
from collections.abc import Sequence

from infra.local.aws.athena.catalog import View
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.types import column

_NUMBERS = ("tinyint", "smallint", "integer", "bigint", "real", "double", "decimal")


def check(name: str, view: View, found: Sequence[tuple[str, str]]) -> None:
    """Compares the stored columns with those that the view's SQL gives now.

    Args:
        name: of the view, for the error.
        view: as it is stored.
        found: name and DuckDB type of each column that it gives.

    Raises:
        QueryError: the view has other columns than it says.
    """
    is_now = [(each, column(each, type_).presto) for each, type_ in found]
    if len(view.columns) != len(is_now):
        raise _stale(name, f"stored view column count ({len(view.columns)}) does not match column count derived from "
                           f"the view query analysis ({len(is_now)})")  # fmt: skip
    for number, ((stored, stored_type), (given, type_)) in enumerate(zip(view.columns, is_now, strict=True)):
        if not given.startswith("_") and stored.lower() != given.lower():
            raise _stale(name, f"column [{given}] of type {type_} projected from query view at position {number} has "
                               f"a different name from column [{stored}] of type {stored_type} stored in view "
                               "definition")  # fmt: skip
        if not _fits(_outline(type_), _outline(stored_type)):
            raise _stale(name, f"column [{given}] of type {type_} projected from query view at position {number} "
                               f"cannot be coerced to column [{stored}] of type {stored_type} stored in view "
                               "definition")  # fmt: skip


def _stale(name: str, why: str) -> QueryError:
    return QueryError("VIEW_IS_STALE", f"View '{name}' is stale or in invalid state: {why}")


def _fits(given: str, stored: str) -> bool:
    return given == stored or given == "unknown" or (given.startswith(_NUMBERS) and stored.startswith(_NUMBERS))


def _outline(presto: str) -> str:
    """A type without what is inside of a row or a map, and without lengths."""
    presto = presto.strip().lower()
    if inner := re.fullmatch(r"array\((.*)\)", presto):
        return f"array({_outline(inner[1])})"
    return re.sub(r"^(row|map|varchar|char|timestamp)\s*\([^)]*\)*", r"\1", presto)
