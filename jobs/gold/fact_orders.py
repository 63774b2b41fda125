"""Orders in their own currency and in US dollars, at the rate of the last day on or before the order date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, DecimalType, StructType

from jobs.lake.delta.changes import AFTER, BEFORE, after
from jobs.lake.publish import AffectedRows
from jobs.lake.schema import column, text

AMOUNT_USD = DecimalType(20, 2)
SCHEMA = StructType(
    [
        text("order_id", "order number"),
        text("customer_id", "gold.dim_customers.id", "confidential"),
        column("order_date", DateType(), "day of the order"),
        text("currency", "ISO 4217 code"),
        column("amount_native", DecimalType(18, 2), "amount in the order's currency", "confidential"),
        column("amount_usd", AMOUNT_USD, "US dollars; null without a rate", "confidential"),
        text("status", "PLACED, PAID, SHIPPED or CANCELLED"),
        column("fx_as_of_date", DateType(), "day of the rate that was used"),
        text("order_month", "YYYY-MM of order_date; partition"),
    ]
)

# Beyond so many changed rates, computing all orders costs no more than searching for the affected ones.
MOST_RATES = 5_000
FAR = date(9999, 12, 31)


def compute(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """One row per order; an order in a currency that ECB doesn't quote keeps its row, without dollars."""
    orders = inputs["silver.orders"]
    rates = rate_of_each_day(_live(inputs["silver.fx_rates"]), orders)
    on = [orders["currency"] == rates["ccy"], orders["order_date"] == rates["day"]]
    return orders.join(rates, on, "left").select(
        "order_id",
        "customer_id",
        "order_date",
        "currency",
        F.col("amount").alias("amount_native"),
        # A product of more than 38 digits would be cut to six decimal places, and so rounded twice. Silver's rules
        # keep rates far below what fits here: at most 10, so that the product fits too.
        F.round(F.col("amount") * F.col("usd_rate").cast("decimal(18,12)"), 2).cast(AMOUNT_USD).alias("amount_usd"),
        "status",
        "fx_as_of_date",
        "order_month",
    )


def affected(changed: Mapping[str, DataFrame], inputs: Mapping[str, DataFrame]) -> AffectedRows | None:
    """Orders that changed, and orders whose rate was added, revised or removed.

    Cost grows with these orders and with the months that they are in. None if more than `MOST_RATES` rates changed.
    """
    orders, rates = inputs["silver.orders"], inputs["silver.fx_rates"]
    states = [F.col(f"{state}.order_month").alias("order_month") for state in (BEFORE, AFTER)]
    moved = changed["silver.orders"]
    months = {row[0] for state in states for row in moved.select(state).distinct().collect() if row[0]}
    spans = _spans(changed["silver.fx_rates"], rates)
    found = spans.groupBy().agg(F.count("*"), F.min("_from"), F.max("_until")).collect()[0]
    if found[0] > MOST_RATES:
        return None
    affected_orders = after(moved)
    if found[0]:
        revalued = (
            orders.filter(F.col("order_month").between(f"{found[1]:%Y-%m}", f"{found[2]:%Y-%m}"))
            .join(
                spans,
                (F.col("currency") == F.col("_ccy"))
                & (F.col("order_date") >= F.col("_from"))
                & (F.col("order_date") < F.col("_until")),
            )
            .select(orders.columns)
            .dropDuplicates(["order_id"])
            .join(moved.select("order_id"), "order_id", "left_anti")
            .persist()
        )
        months |= {row[0] for row in revalued.select("order_month").distinct().collect() if row[0]}
        affected_orders = affected_orders.unionByName(revalued)
    keys = moved.select("order_id").union(affected_orders.select("order_id")).distinct()
    return AffectedRows(keys, {"silver.orders": affected_orders, "silver.fx_rates": rates}, sorted(months))


def _spans(changed: DataFrame, rates: DataFrame) -> DataFrame:
    """Days for which a changed rate counts or counted: `_ccy, _from, _until`, the end excluded."""
    before, after_it = (
        F.when(~F.coalesce(f"{state}.is_withdrawn", F.lit(False)), F.col(f"{state}.usd_rate"))
        for state in (BEFORE, AFTER)
    )
    revised = changed.filter(~before.eqNullSafe(after_it)).select(
        F.col("ccy").alias("_ccy"), F.col("as_of_date").alias("_from")
    )
    later = _live(rates).select(F.col("ccy").alias("_ccy"), F.col("as_of_date").alias("_until"))
    return (
        revised.join(later, "_ccy", "left")
        .groupBy("_ccy", "_from")
        .agg(F.coalesce(F.min(F.when(F.col("_until") > F.col("_from"), F.col("_until"))), F.lit(FAR)).alias("_until"))
        .persist()
    )


def _live(rates: DataFrame) -> DataFrame:
    """The rates that ECB has not withdrawn; rows of release 0.1.0 don't say it."""
    return rates.filter(~F.coalesce("is_withdrawn", F.lit(False)))


def rate_of_each_day(rates: DataFrame, orders: DataFrame) -> DataFrame:
    """Rates carried forward over days without one: `ccy, day, usd_rate, fx_as_of_date`, for the orders' days.

    An equality join on these rows costs one pass; a range join would compare each order with all of history.
    """
    following = F.lead("as_of_date").over(Window.partitionBy("ccy").orderBy("as_of_date"))
    span = orders.agg(F.min("order_date").alias("_first"), F.max("order_date").alias("_last"))
    valid = rates.withColumn("_next", following).crossJoin(F.broadcast(span))
    begin = F.greatest("as_of_date", "_first")
    end = F.least(F.coalesce(F.date_sub("_next", 1), F.col("_last")), F.col("_last"))
    return valid.filter(begin <= end).select(
        "ccy",
        F.explode(F.sequence(begin, end)).alias("day"),
        "usd_rate",
        F.col("as_of_date").alias("fx_as_of_date"),
    )
