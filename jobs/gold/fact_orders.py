"""Orders in their own currency and in US dollars, at the rate of the last day on or before the order date.

A rate that is older than `valid_days` of silver.fx_rates values nothing. A currency that the euro has replaced is worth
its fixed part of a euro, at the euro's rate. A US dollar is 1, with or without rates. What a fact is depends on its
order and the rates alone, not on when it is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, DecimalType, StructType

from jobs.lake import computed, tables
from jobs.lake.delta.changes import AFTER, BEFORE, after
from jobs.lake.publish import AffectedRows
from jobs.lake.schema import column, text
from jobs.sources.ecb.euro import REPLACED

DOLLAR, EURO = "USD", "EUR"
NO_RATE, RATE_TOO_OLD = "no_rate", "rate_too_old"
AMOUNT_USD = DecimalType(20, 2)
PER_EURO = DecimalType(18, 8)
SCHEMA = StructType(
    [
        text("order_id", "order number"),
        text("customer_id", "gold.dim_customers.id", "confidential"),
        column("order_date", DateType(), "day of the order"),
        text("currency", "ISO 4217 code"),
        column("amount_native", DecimalType(18, 2), "amount in the order's currency", "confidential"),
        column("amount_usd", AMOUNT_USD, "US dollars; null with an fx_reason", "confidential"),
        text("status", "PLACED, PAID, SHIPPED or CANCELLED"),
        column("fx_as_of_date", DateType(), "day of the rate that was used"),
        text("fx_reason", "why amount_usd is null: no_rate on or before the order date, or rate_too_old"),
        text("order_month", "YYYY-MM of order_date; partition"),
    ]
)

# Beyond so many changed rates, computing all orders costs no more than searching for the affected ones.
MOST_RATES = 5_000
FAR = date(9999, 12, 31)
# As text: built of columns, it is hundreds of calls to the JVM for each use.
_REPLACED = [
    f"WHEN currency = '{ccy}' AND order_date >= DATE'{rate.since}' THEN {rate.per_euro}BD"
    for ccy, rate in REPLACED.items()
]


def compute(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """One row per order; an order without a rate keeps its row, without dollars and with the reason."""
    orders = _with_quoted(inputs["silver.orders"])
    rates = rate_of_each_day(_live(inputs["silver.fx_rates"]), orders)
    on = [orders["_quoted"] == rates["ccy"], orders["order_date"] == rates["day"]]
    age, limit = F.date_diff("order_date", "as_of_date"), tables.table("silver.fx_rates").valid_days
    found = F.col("as_of_date").isNotNull()
    counts = found & (age <= limit) if limit is not None else found
    is_dollar = F.col("currency") == DOLLAR
    return orders.join(rates, on, "left").select(
        "order_id",
        "customer_id",
        "order_date",
        "currency",
        F.col("amount").alias("amount_native"),
        F.when(is_dollar, F.col("amount").cast(AMOUNT_USD)).when(counts, _dollars()).alias("amount_usd"),
        "status",
        F.when(counts, F.col("as_of_date")).alias("fx_as_of_date"),
        F.when(is_dollar | counts, F.lit(None)).when(found, RATE_TOO_OLD).otherwise(NO_RATE).alias("fx_reason"),
        "order_month",
    )


def _with_quoted(orders: DataFrame) -> DataFrame:
    """The orders with `_quoted`, whose quote values them, and `_fixed`, units per euro of a replaced currency."""
    fixed = F.expr(f"CASE {' '.join(_REPLACED)} END").cast(PER_EURO)
    quoted = F.when(F.col("_fixed").isNotNull(), EURO).otherwise(F.col("currency"))
    return orders.withColumn("_fixed", fixed).withColumn("_quoted", quoted)


def _dollars() -> Column:
    """The order's amount in dollars, from the two quotes per euro.

    Rows of silver.fx_rates that release 0.1.0 wrote have no quotes, but their quotient to 12 places.
    """
    per_euro = F.coalesce("_fixed", "per_euro")
    exact = _rounded_once(F.col("usd_per_euro"), per_euro)
    # Silver's rules keep rates at 10 or below, far from what fits here.
    cut = _rounded_once(F.col("usd_rate").cast("decimal(18,12)"), F.coalesce("_fixed", F.lit(1).cast(PER_EURO)))
    return F.when(F.col("usd_per_euro").isNotNull() & F.col("per_euro").isNotNull(), exact).otherwise(cut)


def _rounded_once(dollars: Column, units: Column) -> Column:
    """`amount * dollars / units` to the cent, half up.

    Spark cuts a quotient to six places: rounding that again could move a cent. So whole cents are divided out first,
    which has no rest, and what remains decides by its own size. All but that one quotient is exact in 38 digits.
    """
    cent = units * F.lit(Decimal("0.01"))
    product = F.col("amount") * dollars
    rest = product % cent
    whole = (product - rest) / units
    return (whole + F.when(rest * 2 >= cent, Decimal("0.01")).otherwise(Decimal("0.00"))).cast(AMOUNT_USD)


def affected(changed: Mapping[str, DataFrame], inputs: Mapping[str, DataFrame]) -> AffectedRows | None:
    """Orders that changed, and orders whose rate was added, revised or removed.

    Cost grows with these orders and with the months that they are in. None if more than `MOST_RATES` rates changed.
    """
    orders, rates = inputs["silver.orders"], inputs["silver.fx_rates"]
    moved = changed["silver.orders"]
    moves = moved.select(*[f"{state}.order_month" for state in (BEFORE, AFTER)]).distinct().collect()
    months = {month for row in moves for month in row if month}
    spans = _spans(changed["silver.fx_rates"], rates)
    found = spans.groupBy().agg(F.count("*"), F.min("_from"), F.max("_until")).collect()[0]
    if found[0] > MOST_RATES:
        return None
    affected_orders = after(moved)
    if found[0]:
        revalued = computed.once(
            _with_quoted(orders.filter(F.col("order_month").between(f"{found[1]:%Y-%m}", f"{found[2]:%Y-%m}")))
            .join(
                spans,
                (F.col("_quoted") == F.col("_ccy"))
                & (F.col("order_date") >= F.col("_from"))
                & (F.col("order_date") < F.col("_until")),
            )
            .select(orders.columns)
            .dropDuplicates(["order_id"])
            .join(moved.select("order_id"), "order_id", "left_anti")
        )
        months |= {row[0] for row in revalued.select("order_month").distinct().collect() if row[0]}
        affected_orders = affected_orders.unionByName(revalued)
    keys = moved.select("order_id").union(affected_orders.select("order_id")).distinct()
    return AffectedRows(keys, {"silver.orders": affected_orders, "silver.fx_rates": rates}, sorted(months))


def _spans(changed: DataFrame, rates: DataFrame) -> DataFrame:
    """Days for which a changed rate counts or counted: `_ccy, _from, _until`, the end excluded."""
    before, after_it = (
        F.when(
            ~F.coalesce(f"{state}.is_withdrawn", F.lit(False)),
            F.struct(*[f"{state}.{name}" for name in ("usd_rate", "per_euro", "usd_per_euro")]),
        )
        for state in (BEFORE, AFTER)
    )
    revised = changed.filter(~before.eqNullSafe(after_it)).select(
        F.col("ccy").alias("_ccy"), F.col("as_of_date").alias("_from")
    )
    later = _live(rates).select(F.col("ccy").alias("_ccy"), F.col("as_of_date").alias("_until"))
    return computed.once(
        revised.join(later, "_ccy", "left")
        .groupBy("_ccy", "_from")
        .agg(F.coalesce(F.min(F.when(F.col("_until") > F.col("_from"), F.col("_until"))), F.lit(FAR)).alias("_until"))
    )


def _live(rates: DataFrame) -> DataFrame:
    """The rates that ECB has not withdrawn; rows of release 0.1.0 don't say it."""
    return rates.filter(~F.coalesce("is_withdrawn", F.lit(False)))


def rate_of_each_day(rates: DataFrame, orders: DataFrame) -> DataFrame:
    """Rates carried forward over days without one, for the orders' days: `day` beside the rate's own columns.

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
        "as_of_date",
        "usd_rate",
        "per_euro",
        "usd_per_euro",
    )
