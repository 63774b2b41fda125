"""Snowflake's ORDERS, by UPDATED_AT."""

from __future__ import annotations

from pyspark.sql.types import DateType, DecimalType, StructType, TimestampType

from jobs.lake.extract import Request, SourceRows
from jobs.lake.schema import column, text
from jobs.sources.snowflake import conform, reading
from jobs.sources.snowflake import extract as snowflake

SCHEMA = StructType(
    [
        text("order_id", "order number"),
        text("customer_id", "account number of the customer", "confidential"),
        column("order_date", DateType(), "day of the order"),
        text("currency", "ISO 4217 code as entered"),
        column("amount", DecimalType(18, 2), "amount in the order's currency", "confidential"),
        text("status", "state of the order"),
        column("updated_at", TimestampType(), "when the source last changed it, UTC"),
        conform.unread(),
    ]
)
ORDERS = reading.SourceTable("ORDERS", SCHEMA, key="order_id", changed_at="updated_at", summed="amount")


def extract(request: Request) -> SourceRows:
    """The window's orders (`snowflake.read` says what it costs and what it refuses)."""
    return snowflake.read(ORDERS, request)
