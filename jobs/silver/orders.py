"""The newest state of each order."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, DecimalType, StructType, TimestampType

from jobs.lake.schema import column, text

SCHEMA = StructType(
    [
        text("order_id", "order number"),
        text("customer_id", "account number of the customer", "confidential"),
        column("order_date", DateType(), "day of the order"),
        text("currency", "ISO 4217 code"),
        column("amount", DecimalType(18, 2), "amount in the order's currency", "confidential"),
        text("status", "PLACED, PAID, SHIPPED or CANCELLED"),
        column("updated_at", TimestampType(), "when the source last changed it, UTC"),
        text("source", "snowflake or kafka"),
        text("order_month", "YYYY-MM of order_date; partition"),
    ]
)


def from_snowflake(raw: DataFrame) -> DataFrame:
    """Snowflake's orders with their source and partition."""
    return raw.withColumns({"source": F.lit("snowflake"), "order_month": F.date_format("order_date", "yyyy-MM")})


def from_events(raw: DataFrame) -> DataFrame:
    """Order events: each is the whole state of its order at its own time. At equal times, Kafka's order decides."""
    return raw.withColumns(
        {
            "updated_at": F.col("event_timestamp"),
            "_position": F.array(F.unix_micros("timestamp"), F.col("partition").cast("bigint"), F.col("offset")),
            "source": F.lit("kafka"),
            "order_month": F.date_format("order_date", "yyyy-MM"),
        }
    )


READERS = {"bronze.snowflake_orders": from_snowflake, "bronze.orders_events": from_events}
