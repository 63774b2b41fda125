"""Rows that a step counts are the rows that it writes, and later queries are cheap to plan."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.lake import computed


def test_rows_are_computed_once(spark: SparkSession) -> None:
    kept = computed.once(spark.range(4).withColumn("computed_at", F.current_timestamp()))

    assert kept.filter("id = 0").collect() == [row for row in kept.collect() if row["id"] == 0]
    assert kept.count() == 4


def test_later_queries_plan_nothing_of_what_made_the_rows(spark: SparkSession) -> None:
    kept = computed.once(spark.range(4).groupBy("id").count())

    assert kept._jdf.queryExecution().logical().children().isEmpty()
