"""The newest state of each order."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, DecimalType, StringType, StructField, StructType, TimestampType

from dq import rules, suite
from jobs.lake import session, tables, upsert
from jobs.lake.run import Run

SCHEMA = StructType(
    [
        StructField("order_id", StringType(), metadata={"comment": "order number"}),
        StructField("customer_id", StringType(), metadata={"comment": "account number of the customer"}),
        StructField("order_date", DateType(), metadata={"comment": "day of the order"}),
        StructField("currency", StringType(), metadata={"comment": "ISO 4217 code"}),
        StructField("amount", DecimalType(18, 2), metadata={"comment": "amount in the order's currency"}),
        StructField("status", StringType(), metadata={"comment": "PLACED, PAID, SHIPPED or CANCELLED"}),
        StructField("updated_at", TimestampType(), metadata={"comment": "when the source last changed it, UTC"}),
        StructField("source", StringType(), metadata={"comment": "snowflake or kafka"}),
        StructField("order_month", StringType(), metadata={"comment": "YYYY-MM of order_date; partition"}),
    ]
)


def build(run: Run) -> None:
    """Merges new states of orders."""
    spark = session.spark(run.step)
    broken = rules.broken(suite.load(run.step))
    readers = {"bronze.snowflake_orders": from_snowflake, "bronze.orders_events": from_events}
    upsert.upsert(spark, run, tables.table(run.step), SCHEMA, readers, broken)


def from_snowflake(raw: DataFrame) -> DataFrame:
    """Snowflake's orders with their source and partition."""
    return raw.withColumns({"source": F.lit("snowflake"), "order_month": F.date_format("order_date", "yyyy-MM")})


def from_events(raw: DataFrame) -> DataFrame:
    """Order events: each is the whole state of its order at its own time."""
    return raw.withColumns(
        {
            "updated_at": F.col("event_timestamp"),
            "source": F.lit("kafka"),
            "order_month": F.date_format("order_date", "yyyy-MM"),
        }
    )
