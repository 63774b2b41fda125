"""Snowflake's ORDERS by UPDATED_AT, in Arrow batches: the table is never whole in memory.

A read is measured: what arrived must be as many rows and as much money as the source itself counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.types import DataType, DateType, DecimalType, StringType, StructField, StructType, TimestampType
from snowflake.connector.errors import Error

from jobs.lake import ingest, session, source_facts, tables
from jobs.lake.errors import DataError, LakeError
from jobs.lake.run import Run, Window
from jobs.lake.staging import Batches
from jobs.sources.snowflake import connect, translated

OBJECT = "ORDERS"
SCHEMA = StructType(
    [
        StructField("order_id", StringType(), metadata={"comment": "order number"}),
        StructField("customer_id", StringType(), metadata={"comment": "account number of the customer"}),
        StructField("order_date", DateType(), metadata={"comment": "day of the order"}),
        StructField("currency", StringType(), metadata={"comment": "ISO 4217 code as entered"}),
        StructField("amount", DecimalType(18, 2), metadata={"comment": "amount in the order's currency"}),
        StructField("status", StringType(), metadata={"comment": "state of the order"}),
        StructField("updated_at", TimestampType(), metadata={"comment": "when the source last changed it, UTC"}),
    ]
)
_ARROW_TYPES: dict[DataType, pa.DataType] = {
    DateType(): pa.date32(),
    StringType(): pa.string(),
    TimestampType(): pa.timestamp("us", "UTC"),
    DecimalType(18, 2): pa.decimal128(18, 2),
}
_ANY_INTEGER = pa.decimal128(21, 2)
_ANY_SUM = pa.decimal128(38, 2)
# Snowflake's own batches are a few MB, but nothing bounds them: the driver's copy of a part is some 10 MB.
ROWS_PER_PART = 50_000
# Orders are added and changed, and old years may be archived; a table that lost half of its rows since the last
# read was truncated, or is being loaded just now.
LARGEST_FALL = Decimal("0.5")


@dataclass(frozen=True)
class Measure:
    """How many orders, and the sum of their amounts."""

    rows: int = 0
    amount: Decimal = Decimal("0.00")

    def plus(self, part: pa.Table) -> Measure:
        """With a conformed part more; amounts that are null don't count, as in SQL."""
        more = pc.sum(pc.cast(part["amount"], _ANY_SUM)).as_py()
        return Measure(self.rows + part.num_rows, self.amount + (more or 0))


def build(run: Run) -> None:
    """Ingests the window's orders."""
    table = tables.table(run.step)
    known = source_facts.newest(table, "source_total") or {}
    reading = partial(extract, known_total=known.get("source_total"), accept=run.accept)
    ingest.ingest(session.spark(run.step), run, table, SCHEMA, reading)


def extract(window: Window, *, known_total: int | None = None, accept: Collection[str] = ()) -> Batches:
    """Orders whose UPDATED_AT lies in the window, in parts of at most `ROWS_PER_PART` rows.

    Costs two counts beside the read, and a third when the source changed while it was read.

    Args:
        window: of UPDATED_AT.
        known_total: rows of the whole source table when it was last read; None when that is not known.
        accept: with `fewer_rows` a source that was emptied or lost much is taken as it is.

    Returns:
        Facts: `source_rows` and `source_sum` (text) of the window as the source counts them, and `source_total`,
        the rows of the whole source table.

    Raises:
        ConfigurationError: the secret is missing, or the log-in is refused.
        TransientError: Snowflake can't be reached.
        DataError: the source has no rows or lost more than `LARGEST_FALL` of them, the query fails there, a value
            does not fit its column, or other rows arrived than the source counts.
    """
    try:
        with connect() as connection, connection.cursor() as cursor:
            total = _total(cursor)
            if "fewer_rows" not in accept:
                _refuse_fewer(total, known_total)
            expected = _measure(cursor, window)
            arrived = Measure()
            columns = ", ".join(field.name.upper() for field in SCHEMA)
            bounds, values = _bounds(window)
            cursor.execute(f"SELECT {columns} FROM {OBJECT} WHERE {bounds}", values)
            for part in _parts(cursor):
                arrived = arrived.plus(part)
                yield part
            if arrived != expected:
                # An order that changed while it was read has left the window, or came into it.
                expected = _measure(cursor, window)
                _refuse_others(arrived, expected)
            return {"source_rows": expected.rows, "source_sum": str(expected.amount), "source_total": total}
    except LakeError:
        raise
    except Error as error:
        raise translated(error, OBJECT) from error


def _parts(cursor: Any) -> Iterator[pa.Table]:
    """The result, conformed; of the arriving batches no more than the one in hand and the next are held."""
    for batch in cursor.fetch_arrow_batches(force_microsecond_precision=True):
        for start in range(0, batch.num_rows, ROWS_PER_PART):
            yield conform(batch.slice(start, ROWS_PER_PART))


def conform(batch: pa.Table) -> pa.Table:
    """A batch with this table's names and types: NUMBER to decimal, times to UTC microseconds.

    Nanoseconds are cut, never rounded, so that a time stays in its window.

    Raises:
        DataError: a column's values don't fit its type.
    """
    columns = {}
    for field in SCHEMA:
        column = batch.column(field.name.upper())
        wanted = _ARROW_TYPES[field.dataType]
        if pa.types.is_timestamp(column.type) and column.type.tz is None:
            column = pc.assume_timezone(column, "UTC")
        try:
            if pa.types.is_integer(column.type) and pa.types.is_decimal(wanted):
                column = pc.cast(column, _ANY_INTEGER)  # Arrow casts integers only to decimals that hold them all
            columns[field.name] = pc.cast(column, wanted, safe=not pa.types.is_timestamp(wanted))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(
                f"snowflake: column {field.name.upper()} of {OBJECT} is {column.type} and does not fit {wanted} "
                f"({error}). Nothing was written. Mend the source, or change the table's schema on purpose."
            ) from error
    return pa.table(columns)


def _bounds(window: Window) -> tuple[str, tuple[Any, ...]]:
    end = window.end.replace(tzinfo=None)
    if window.start is None:
        return "UPDATED_AT < %s", (end,)
    return "UPDATED_AT >= %s AND UPDATED_AT < %s", (window.start.replace(tzinfo=None), end)


def _total(cursor: Any) -> int:
    (total,) = cursor.execute(f"SELECT COUNT(*) FROM {OBJECT}").fetchone()
    return int(total)


def _measure(cursor: Any, window: Window) -> Measure:
    bounds, values = _bounds(window)
    # In whole cents: the stand-in adds up doubles, which are exact for whole numbers alone (up to 9 * 10^15).
    query = f"SELECT COUNT(*), CAST(SUM(AMOUNT * 100) AS NUMBER(38, 0)) FROM {OBJECT} WHERE {bounds}"
    rows, cents = cursor.execute(query, values).fetchone()
    return Measure(int(rows), Decimal(cents or 0).scaleb(-2))


def _refuse_fewer(total: int, known: int | None) -> None:
    if known is not None and total < known * (1 - LARGEST_FALL):
        raise DataError(
            f"snowflake: {OBJECT} has {total} rows and had {known} when it was last read. Nothing was written. "
            "Check whether it was truncated or is being loaded; if the loss is meant, run again with "
            "`--accept fewer_rows`."
        )
    if total == 0:
        raise DataError(
            f"snowflake: {OBJECT} has no rows at all. Nothing was written. Check that the source was loaded, and "
            "that the secret names the right database and schema; if it is meant to be empty, run again with "
            "`--accept fewer_rows`."
        )


def _refuse_others(arrived: Measure, expected: Measure) -> None:
    if arrived != expected:
        raise DataError(
            f"snowflake: {OBJECT} counts {expected.rows} rows with a sum of {expected.amount} in the window, "
            f"{arrived.rows} rows with a sum of {arrived.amount} arrived: {expected.rows - arrived.rows} are missing. "
            "Nothing was written. Run again; if it stays so, compare AMOUNT in the source with what the connector "
            "gives."
        )
