"""Reads a Snowflake table by the time of its rows' last change, in parts: the whole table is never in memory.

Every read is checked: the number of rows and the sum of money that arrive must be those that the source counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.types import StructType
from snowflake.connector.errors import Error

from jobs.lake.errors import DataError, LakeError
from jobs.lake.extract import Request, SourceRows
from jobs.lake.run import Window
from jobs.sources.snowflake.client import connect, translated
from jobs.sources.snowflake.conform import conform

_ANY_SUM = pa.decimal128(38, 2)
# Snowflake's own batches are a few MB, but nothing bounds them: the driver's copy of a part is some 10 MB.
ROWS_PER_PART = 50_000
# Rows are added and changed, and old years may be archived; a table that lost half of its rows since the last
# read was truncated, or is being loaded just now.
LARGEST_FALL = Decimal("0.5")


@dataclass(frozen=True)
class SourceTable:
    """A table in Snowflake, and which of its columns are read.

    Attributes:
        name: in Snowflake, in the database and schema of the secret.
        schema: the columns to read, named as in Snowflake but in lower case.
        changed_at: the column with the time of a row's last change, by which windows are read.
        summed: a column of money, decimal with two places, whose sum is compared with the source's own.
    """

    name: str
    schema: StructType
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


def read(source: SourceTable, request: Request) -> SourceRows:
    """Rows whose last change lies in the window, in parts of at most `ROWS_PER_PART` rows.

    Besides the read it costs two counts, and a third one if the source changed while it was read.

    Returns:
        Facts: `source_rows` and `source_sum` (text) of the window as the source counts them, and `source_total`,
        the rows of the whole source table.

    Raises:
        ConfigurationError: the secret is missing, or the log-in is refused.
        TransientError: Snowflake can't be reached.
        SchemaContractError: a column is of another kind than its SCHEMA says.
        DataError: the source has no rows or lost more than `LARGEST_FALL` of them, the query fails there, a value
            does not fit its column, or other rows arrived than the source counts.
    """
    try:
        with connect() as connection, connection.cursor() as cursor:
            total = _total(cursor, source)
            if "fewer_rows" not in request.accept:
                _refuse_fewer(source, total, request.known.get("source_total"))
            expected = _measure(cursor, source, request.window)
            arrived = Measure()
            columns = ", ".join(name.upper() for name in source.schema.names)
            bounds, values = _bounds(source, request.window)
            cursor.execute(f"SELECT {columns} FROM {source.name} WHERE {bounds}", values)
            for part in _parts(cursor, source):
                arrived = arrived.plus(part[source.summed])
                yield part
            if arrived != expected:
                # A row that changed while it was read has left the window, or came into it.
                expected = _measure(cursor, source, request.window)
                _refuse_mismatch(source, arrived, expected)
            return {"source_rows": expected.rows, "source_sum": str(expected.amount), "source_total": total}
    except LakeError:
        raise
    except Error as error:
        raise translated(error, source.name) from error


def _parts(cursor: Any, source: SourceTable) -> Iterator[pa.Table]:
    """The result in our types. At most two arriving batches are in memory: the present one and the next one."""
    for batch in cursor.fetch_arrow_batches(force_microsecond_precision=True):
        for start in range(0, batch.num_rows, ROWS_PER_PART):
            yield conform(source.name, source.schema, batch.slice(start, ROWS_PER_PART))


def _bounds(source: SourceTable, window: Window) -> tuple[str, tuple[Any, ...]]:
    end = window.end.replace(tzinfo=None)
    if window.start is None:
        return f"{source.changed_at.upper()} < %s", (end,)
    by = source.changed_at.upper()
    return f"{by} >= %s AND {by} < %s", (window.start.replace(tzinfo=None), end)


def _total(cursor: Any, source: SourceTable) -> int:
    (total,) = cursor.execute(f"SELECT COUNT(*) FROM {source.name}").fetchone()
    return int(total)


def _measure(cursor: Any, source: SourceTable, window: Window) -> Measure:
    bounds, values = _bounds(source, window)
    # In whole cents: the stand-in adds up doubles, which are exact only for whole numbers (up to 9 * 10^15).
    cents = f"CAST(SUM({source.summed.upper()} * 100) AS NUMBER(38, 0))"
    rows, amount = cursor.execute(f"SELECT COUNT(*), {cents} FROM {source.name} WHERE {bounds}", values).fetchone()
    return Measure(int(rows), Decimal(amount or 0).scaleb(-2))


def _refuse_fewer(source: SourceTable, total: int, known: int | None) -> None:
    if known is not None and total < known * (1 - LARGEST_FALL):
        raise DataError(
            f"snowflake: {source.name} has {total} rows and had {known} when it was last read. Nothing was written. "
            "Check whether it was truncated or is being loaded; if the loss is intended, run again with "
            "`--accept fewer_rows`."
        )
    if total == 0:
        raise DataError(
            f"snowflake: {source.name} has no rows at all. Nothing was written. Check that the source was loaded, and "
            "that the secret names the right database and schema; if it is meant to be empty, run again with "
            "`--accept fewer_rows`."
        )


def _refuse_mismatch(source: SourceTable, arrived: Measure, expected: Measure) -> None:
    if arrived != expected:
        raise DataError(
            f"snowflake: {source.name} counts {expected.rows} rows with a sum of {expected.amount} in the window, "
            f"but {arrived.rows} rows with a sum of {arrived.amount} arrived: {expected.rows - arrived.rows} are "
            f"missing. Nothing was written. Run again; if it keeps failing, compare {source.summed.upper()} in the "
            "source with what the connector returns."
        )
