"""Snowflake's ORDERS by UPDATED_AT, in Arrow batches: the table is never whole in memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import snowflake.connector
from pyspark.sql.types import DataType, DateType, DecimalType, StringType, StructField, StructType, TimestampType
from snowflake.connector.errors import DatabaseError, Error, OperationalError, ProgrammingError

from jobs.lake import ingest, secrets, session, settings, tables
from jobs.lake.errors import ConfigurationError, DataError, LakeError, TransientError
from jobs.lake.run import Run, Window
from jobs.lake.staging import Batches

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
BAD_LOGIN = (250001, 251001, 390100)


def build(run: Run) -> None:
    """Ingests the window's orders."""
    ingest.ingest(session.spark(run.step), run, tables.table(run.step), SCHEMA, extract)


def extract(window: Window) -> Batches:
    """Orders whose UPDATED_AT lies in the window.

    Raises:
        ConfigurationError: the secret is missing, or the log-in is refused.
        TransientError: Snowflake can't be reached.
        DataError: the source has no rows, or the query fails there.
    """
    try:
        with connect() as connection, connection.cursor() as cursor:
            columns = ", ".join(field.name.upper() for field in SCHEMA)
            bounds, values = _bounds(window)
            cursor.execute(f"SELECT {columns} FROM {OBJECT} WHERE {bounds}", values)
            rows = 0
            for batch in cursor.fetch_arrow_batches(force_microsecond_precision=True):
                rows += batch.num_rows
                yield conform(batch)
            if not rows:
                _refuse_empty(cursor)
            return {"source_rows": rows}
    except LakeError:
        raise
    except Error as error:
        raise _translated(error) from error


def connect() -> snowflake.connector.SnowflakeConnection:
    """A connection by the secret `<project>/snowflake/credentials`."""
    keys = ("account", "username", "password", "warehouse", "database", "schema")
    secret = secrets.credentials("snowflake", keys)
    options: dict[str, Any] = {}
    endpoint = settings.sources().snowflake
    if endpoint:
        address = urlsplit(endpoint)
        options = {"host": address.hostname, "port": address.port, "protocol": address.scheme}
    return snowflake.connector.connect(
        account=secret["account"],
        user=secret["username"],
        password=secret["password"],
        warehouse=secret["warehouse"],
        database=secret["database"],
        schema=secret["schema"],
        login_timeout=30,
        network_timeout=120,
        # Else NUMBER with a scale arrives as a double, and cents are lost.
        arrow_number_to_decimal=True,
        # Session time zone decides how TIMESTAMP_LTZ arrives.
        session_parameters={"TIMEZONE": "UTC"},
        **options,
    )


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


def _refuse_empty(cursor: Any) -> None:
    (total,) = cursor.execute(f"SELECT COUNT(*) FROM {OBJECT}").fetchone()
    if Decimal(total) == 0:
        raise DataError(
            f"snowflake: {OBJECT} has no rows at all. Nothing was written. Check that the source was loaded, and "
            "that the secret names the right database and schema."
        )


def _translated(error: Error) -> LakeError:
    if error.errno in BAD_LOGIN and "password" in str(error.msg).lower():
        return ConfigurationError(
            f"snowflake: log-in refused ({error.errno}). Nothing was written. Check username and password in the "
            "secret <project>/snowflake/credentials."
        )
    if isinstance(error, ProgrammingError):
        return DataError(f"snowflake: the query on {OBJECT} failed ({error.errno}: {error.msg}). Nothing was written.")
    if isinstance(error, (OperationalError, DatabaseError)):
        return TransientError(
            f"snowflake: can't be read ({error.errno}: {type(error).__name__}). Nothing was written. It is tried "
            "again; if it stays so, check the account name and Snowflake's status page."
        )
    return LakeError(f"snowflake: {type(error).__name__} {error.errno}. Nothing was written.")
