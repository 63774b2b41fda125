"""Gold reads its inputs with all columns of their modules, also before the lake has them."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.lake import input_columns
from jobs.lake.delta.changes import AFTER, BEFORE
from tests.jobs.lakehouse import collect, frame, quoted_rate, schema_of
from tests.jobs.lakehouse import silver_rate as rate

RATES = "silver.fx_rates"
NEW = ("per_euro", "usd_per_euro", "is_withdrawn")


def test_columns_that_the_lake_does_not_have_yet_are_null(spark: SparkSession) -> None:
    earlier = frame(spark, [rate("2026-10-01", "EUR", "1.1")], schema_of(RATES)).drop(*NEW)
    net = earlier.select("ccy", F.struct(earlier.columns).alias(AFTER)).withColumn(
        BEFORE, F.when(F.lit(False), F.col(AFTER))
    )

    rows, changes = input_columns.of_rows(earlier, RATES), input_columns.of_changes(net, RATES)

    assert set(rows.columns) == {*schema_of(RATES).names}
    assert all(row[name] is None for row in collect(rows) for name in NEW)
    (change,) = changes.select(f"{AFTER}.*", F.col(BEFORE)).collect()
    assert change["ccy"] == "EUR"
    assert [change[name] for name in NEW] == [None] * 3
    assert change[BEFORE] is None


def test_whole_rows_stay_as_they_are(spark: SparkSession) -> None:
    whole = frame(spark, [quoted_rate("2026-10-01", "GBP", Decimal("0.8"), Decimal("1.1"))], schema_of(RATES))

    assert collect(input_columns.of_rows(whole, RATES)) == collect(whole)
