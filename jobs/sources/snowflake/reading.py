"""Reads rows of a Snowflake table, in parts: the whole table is never in memory.

Every read is checked: the number of rows and the sum of money that arrive must be those that Snowflake itself counts
in the result of the very same statement. So a table may change while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.types import DecimalType, StructType

from jobs.lake.errors import DataError
from jobs.lake.run import Window
from jobs.sources.snowflake import conform

_ANY_SUM = pa.decimal128(38, 2)
# Snowflake's own batches are a few MB, but nothing bounds them: the driver's copy of a part is some 10 MB.
ROWS_PER_PART = 50_000


@dataclass(frozen=True)
class SourceTable:
    """A table in Snowflake, and which of its columns are read.

    Attributes:
        name: in Snowflake, in the database and schema of the secret.
        schema: of its bronze table: the columns to read, named as in Snowflake but in lower case, and `unread`.
        key: the column that identifies a row.
        changed_at: the column with the time of a row's last change, by which windows are read.
        summed: a column of money, decimal with two places, whose sum is compared with the source's own.
    """

    name: str
    schema: StructType
    key: str
    changed_at: str
    summed: str


@dataclass(frozen=True)
class Measure:
    """How many rows, and the sum of their money."""

    rows: int = 0
    amount: Decimal = Decimal("0.00")

    def plus(self, more: pa.ChunkedArray) -> Measure:
        """This measure plus one more part's, from the part's summed column. Nulls don't count, as in SQL."""
        return Measure(self.rows + len(more), self.amount + (pc.sum(pc.cast(more, _ANY_SUM)).as_py() or 0))


def select(connection: Any, source: SourceTable, where: str, values: tuple[Any, ...]) -> Iterator[pa.Table]:
    """The rows that meet a condition, in our types, in parts of at most `ROWS_PER_PART` rows.

    Snowflake keeps a statement's result for 24 hours and counts it without a second look at the table.

    Raises:
        DataError: other rows arrived than the result has.
    """
    columns = ", ".join(conform.columns(source.schema)).upper()
    arrived = Measure()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {source.name} WHERE {where}", values)
        statement = cursor.sfqid
        for part in _parts(cursor, source):
            arrived = arrived.plus(part[source.summed])
            yield part
    with connection.cursor() as cursor:
        _refuse_mismatch(source, arrived, _measure(cursor, source, statement))


def _parts(cursor: Any, source: SourceTable) -> Iterator[pa.Table]:
    """The result in our types. At most two arriving batches are in memory: the present one and the next one."""
    for batch in cursor.fetch_arrow_batches(force_microsecond_precision=True):
        for start in range(0, batch.num_rows, ROWS_PER_PART):
            yield conform.conform(source.name, source.schema, batch.slice(start, ROWS_PER_PART))


def bounds(source: SourceTable, window: Window) -> tuple[str, tuple[Any, ...]]:
    """The condition on a row's last change that a window sets, and its values."""
    end = window.end.replace(tzinfo=None)
    if window.start is None:
        return f"{source.changed_at.upper()} < %s", (end,)
    by = source.changed_at.upper()
    return f"{by} >= %s AND {by} < %s", (window.start.replace(tzinfo=None), end)


def _measure(cursor: Any, source: SourceTable, statement: str) -> Measure:
    # In whole cents: the stand-in adds up doubles, which are exact only for whole numbers (up to 9 * 10^15). What its
    # column can't hold counts as null, on both sides.
    money, kind = source.summed.upper(), cast(DecimalType, source.schema[source.summed].dataType)
    held = f"ABS({money}) < {10 ** (kind.precision - kind.scale)}"
    cents = f"CAST(SUM(CASE WHEN {held} THEN {money} * 100 END) AS NUMBER(38, 0))"
    query = f"SELECT COUNT(*), {cents} FROM TABLE(RESULT_SCAN(%s))"
    rows, amount = cursor.execute(query, (statement,)).fetchone()
    return Measure(int(rows), Decimal(amount or 0).scaleb(-2))


def _refuse_mismatch(source: SourceTable, arrived: Measure, expected: Measure) -> None:
    if arrived != expected:
        raise DataError(
            f"snowflake: {source.name} counts {expected.rows} rows with a sum of {expected.amount} in the window, "
            f"but {arrived.rows} rows with a sum of {arrived.amount} arrived: {expected.rows - arrived.rows} are "
            f"missing. Nothing was written. Run again; if it keeps failing, compare {source.summed.upper()} in the "
            "source with what the connector returns."
        )
