"""Seconds of the gate's judgement of 5 million orders by 20 expectations: `python -m benchmarks.gate`.

Beside it, in the same JVM and over the same files: Great Expectations as it comes (result format SUMMARY, its own
cache), and the limit: one Spark aggregate over the conditions of the row rules, written by hand, and one grouping by
key. Without defects, and with defects in one row of a hundred. Each figure is the best of three.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import great_expectations as gx
from great_expectations.expectations.registry import get_expectation_impl
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.table_size import seconds, start_spark
from dq import rules, suite, validate
from dq.suite import Rule, Suite
from infra.local.aws import throw_away
from infra.setup import spark_conf
from jobs.lake.newest_wins import READ_AT

ROWS, TIMES = 5_000_000, 3
MORE = (
    Rule("expect_column_values_to_not_be_null", {"column": "source"}, "critical"),
    Rule("expect_column_values_to_be_between", {"column": "amount", "max_value": 1_000_000}, "warning"),
)


def suite_of_twenty() -> Suite:
    """The rules of `silver.orders` but for the one that depends on a run's date, and as many more as make 20."""
    known = suite.load("silver.orders")
    chosen = (*(rule for rule in known.rules if rule.age is None), *MORE)
    if len(chosen) != 20:
        raise RuntimeError(f"the suite has {len(chosen)} rules: change MORE")
    return replace(known, rules=chosen)


def orders(spark: SparkSession, defects: bool) -> DataFrame:
    """Orders whose number decides all values; with defects, one of a hundred breaks one of five rules."""
    wrong = (F.col("id") % 100 == 7) if defects else F.lit(False)

    def value(good: Column, bad: Column, kind: int) -> Column:
        return F.when(wrong & (F.col("id") / 100 % 5).cast("int").eqNullSafe(kind), bad).otherwise(good)

    number = F.format_string("O%09d", "id")
    return spark.range(0, ROWS, 1, 8).select(
        value(number, F.lit("O000000001"), 0).alias("order_id"),
        F.format_string("C%06d", F.col("id") % 200_000).alias("customer_id"),
        F.date_add(F.lit("2024-11-01").cast("date"), (F.col("id") % 730).cast("int")).alias("order_date"),
        value(F.lit("EUR"), F.lit("eur"), 1).alias("currency"),
        value((F.col("id") % 100_000 / 100).cast("decimal(18,2)"), F.lit(-1).cast("decimal(18,2)"), 2).alias("amount"),
        value(F.lit("PAID"), F.lit("LOST"), 3).alias("status"),
        value(F.lit("2026-10-30").cast("timestamp"), F.lit(None).cast("timestamp"), 4).alias("updated_at"),
        F.lit("snowflake").alias("source"),
    )


def judge(frame: DataFrame, chosen: Suite) -> int:
    """The gate's way; returns how many rules failed."""
    return sum(not judged.success for judged in validate.validate(chosen, frame, frame, ["order_id"]))


def stock(frame: DataFrame, chosen: Suite) -> int:
    """Great Expectations as its documentation has it; returns how many rules failed."""
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_spark("stock").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(batch_parameters={"dataframe": frame})
    expectations = [get_expectation_impl(rule.type)(**rule.kwargs) for rule in chosen.rules]
    result = batch.validate(gx.ExpectationSuite(name="stock", expectations=expectations), result_format="SUMMARY")
    frame.sparkSession.catalog.clearCache()
    return sum(not each.success for each in result.results)


def one_pass(frame: DataFrame, chosen: Suite) -> int:
    """The limit, by hand; returns how many rules failed."""
    read_at = frame.withColumn(READ_AT, F.current_timestamp())
    by_row = [rule for rule in chosen.rules if validate.about_rows(rule)]
    counted = read_at.agg(F.count(F.lit(1)), *(F.count_if(~rules.holds(rule)) for rule in by_row)).collect()[0]
    doubled = frame.groupBy("order_id").count().filter("count > 1 AND order_id IS NOT NULL").count()
    return sum(number > 0 for number in [*counted[1:], doubled])


def measure(spark: SparkSession, folder: Path, defects: bool) -> dict[str, float]:
    """The best seconds of each, over the same files.

    Raises:
        RuntimeError: they don't agree on how many rules fail; the figures would mean nothing.
    """
    files = str(folder / f"orders-{defects}")
    orders(spark, defects).write.parquet(files)
    chosen, ways = suite_of_twenty(), {"gate": judge, "stock SUMMARY": stock, "one pass": one_pass}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TIMES):
        failed: dict[str, int] = {}
        for name, way in ways.items():
            found[name].append(seconds(partial(_note, failed, name, way, spark.read.parquet(files), chosen)))
        if set(failed.values()) != {5 if defects else 0}:
            raise RuntimeError(f"rules that fail: {failed}")
        print(defects, {name: round(times[-1], 1) for name, times in found.items()}, file=sys.stderr, flush=True)
    return {name: min(times) for name, times in found.items()}


def _note(
    failed: dict[str, int], name: str, way: Callable[[DataFrame, Suite], int], frame: DataFrame, chosen: Suite
) -> None:
    failed[name] = way(frame, chosen)


def main() -> int:
    """Prints the table, in Markdown. Returns 0 whatever it says."""
    with tempfile.TemporaryDirectory() as folder, throw_away.server(Path(folder)) as aws:
        os.environ.update(spark_conf.environment(aws.environment()))
        spark = start_spark(aws.s3)
        results = {share: measure(spark, Path(folder), defects) for share, defects in (("0 %", False), ("1 %", True))}
        spark.stop()
    print(f"| {ROWS:,} rows, 20 expectations | gate | one pass | ratio | stock SUMMARY | ratio |")
    print("|---|---:|---:|---:|---:|---:|")
    for share, took in results.items():
        gate, limit, peer = took["gate"], took["one pass"], took["stock SUMMARY"]
        cells = f"{gate:.1f} s | {limit:.1f} s | {gate / limit:.2f} | {peer:.1f} s | {peer / gate:.2f}"
        print(f"| {share} defects | {cells} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
