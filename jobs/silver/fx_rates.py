"""US dollars per unit of each currency, from ECB's quotes per euro."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DateType, DecimalType, StructType, TimestampType

from jobs.lake import unfit
from jobs.lake.schema import column, text

USD_RATE = DecimalType(28, 12)
PER_EURO = DecimalType(18, 8)
SCHEMA = StructType(
    [
        text("ccy", "ISO 4217 code", "public"),
        column("as_of_date", DateType(), "day of publication", "public"),
        column("usd_rate", USD_RATE, "US dollars per unit of the currency", "public"),
        column("published_at", TimestampType(), "when ECB published it, UTC", "public"),
        column(
            "is_withdrawn",
            BooleanType(),
            "true when ECB has it no more, else null",
            "public",
        ),
        # `usd_rate` is their quotient, cut to its places. Who multiplies takes these, and rounds once.
        column("per_euro", PER_EURO, "units of the currency per euro, as quoted", "public"),
        column("usd_per_euro", PER_EURO, "US dollars per euro, of the same day and the same read", "public"),
    ]
)


def from_ecb(raw: DataFrame) -> DataFrame:
    """`usd_rate` = (dollars per euro) / (units per euro), both of the same day and the same read.

    A rate that is not a positive number gives null, and so do a day without a dollar quote and a quotient of more
    than 16 digits before its decimal point.
    """
    typed = raw.withColumn("_per_euro", unfit.cast("rate", PER_EURO))
    quotes = typed.withColumn("_per_euro", F.when(F.col("_per_euro") > 0, F.col("_per_euro")))
    read = ["as_of_date", "_batch_id", "published_at"]
    dollars = quotes.filter(F.col("ccy") == "USD").groupBy(*read).agg(F.max("_per_euro").alias("_usd_per_euro"))
    # Release 0.1.0 knew no withdrawn quotes.
    withdrawn = F.expr("try_cast(withdrawn AS BOOLEAN)") if "withdrawn" in raw.columns else F.lit(None).cast("boolean")
    return quotes.join(dollars, read, "left").withColumns(
        {
            # Null and not false for all others: so do rows that were written before there was such a column.
            "is_withdrawn": F.when(withdrawn, F.lit(True)),
            "as_of_date": unfit.cast("as_of_date", DateType()),
            "per_euro": F.col("_per_euro"),
            "usd_per_euro": F.col("_usd_per_euro"),
            "usd_rate": F.round(F.col("_usd_per_euro") / F.col("_per_euro"), 12).try_cast(USD_RATE),
        }
    )


READERS = {"bronze.fx_rates": from_ecb}
