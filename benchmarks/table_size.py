"""Seconds that silver and gold take for one change, in a table and in one five times as large: `make benchmark`.

The change is 2,000 orders: new ones, and changed ones of the last months. Each figure is the best of three, in one
warm JVM. For comparison, the same rows are merged by Delta's MERGE alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import boto3
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from infra.local.addresses import REGION
from infra.local.aws import throw_away
from infra.setup import spark_conf
from jobs import steps
from jobs.bronze import fx_rates, snowflake_orders
from jobs.lake import session, settings
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.ingest import LINEAGE
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from jobs.lake.tables import table

ROWS, TIMES, CHANGE = 300_000, 5, 2_000
ORDERS, RATES = "bronze.snowflake_orders", "bronze.fx_rates"
SILVER, GOLD = "silver.orders", "gold.fact_orders"


def orders(spark: SparkSession, first: int, rows: int, changed_at: str) -> DataFrame:
    """Orders `first` to `first + rows`. The number decides all values; dates are spread over 24 months."""
    day = F.date_add(F.lit("2024-11-01").cast("date"), (F.col("id") * 730 / F.lit(ROWS * TIMES)).cast("int"))
    return spark.range(first, first + rows).select(
        F.format_string("O%09d", "id").alias("order_id"),
        F.format_string("C%05d", F.col("id") % 20_000).alias("customer_id"),
        day.alias("order_date"),
        F.element_at(F.array(*map(F.lit, ["EUR", "USD", "GBP", "JPY"])), (F.col("id") % 4 + 1).cast("int")).alias(
            "currency"
        ),
        (F.col("id") % 100_000 / 100).cast("decimal(18,2)").alias("amount"),
        F.lit("PLACED" if changed_at < "2026-10-31" else "PAID").alias("status"),
        F.lit(changed_at).cast("timestamp").alias("updated_at"),
    )


def rates(spark: SparkSession) -> DataFrame:
    """One rate of each currency for each day."""
    days = spark.range(760).select(F.date_add(F.lit("2024-10-25").cast("date"), F.col("id").cast("int")).alias("d"))
    quotes = spark.sql(
        "SELECT * FROM VALUES ('EUR', '1'), ('USD', '1.1'), ('GBP', '0.8'), ('JPY', '150') AS q(ccy, rate)"
    )
    published = F.lit("2026-10-30").cast("timestamp").alias("published_at")
    return days.crossJoin(quotes).select(F.col("d").cast("string").alias("as_of_date"), "ccy", "rate", published)


def land(name: str, batch: str, rows: DataFrame, count: int) -> None:
    """Commits rows as a bronze batch."""
    module = snowflake_orders if name == ORDERS else fx_rates
    uri = settings.lake().uri(name)
    writes.create(rows.sparkSession, uri, type(LINEAGE)([*module.SCHEMA, *LINEAGE]), "_batch_id", name)
    lineage = {
        "_batch_id": F.lit(batch),
        "_source": F.lit(table(name).source),
        "_ingested_at": F.lit(datetime.now(UTC)),
    }
    record = CommitRecord.of(Run("benchmark", name), batch_id=batch, counts=Counts(count, count))
    writes.replace_batch(rows.withColumns(lineage), uri, batch, record, add_columns=False)


def build(name: str, run: str) -> None:
    """Runs a table's step, and drops what it cached: a job's process would end here."""
    steps.build(Run(run, name))
    if active := SparkSession.getActiveSession():
        active.catalog.clearCache()


def version(name: str) -> int:
    """The table's newest version."""
    found = log.version(settings.lake().uri(name))
    if found is None:
        raise RuntimeError(f"there is no table {name}")
    return found


def seconds(step: Callable[[], object]) -> float:
    """The seconds that a step takes."""
    begun = time.monotonic()
    step()
    return time.monotonic() - begun


def gate(run: str) -> None:
    """Records that silver has passed its gate."""
    gate_verdicts.record_passed(Run(run, "gate"), {name: version(name) for name in (SILVER, "silver.fx_rates")})


def _bare_merge(spark: SparkSession, rows: DataFrame, months: list[str]) -> None:
    uri = settings.lake().uri(SILVER)
    writes.merge(spark, uri, rows, keys=["order_id"], record=CommitRecord(), partitions=("order_month", months))


def measure(spark: SparkSession, rows: int) -> dict[str, float]:
    """The seconds of silver, gold and the bare MERGE, for the change in a table of this size."""
    first = ROWS * TIMES - rows  # both sizes have the same newest orders
    land(ORDERS, "all", orders(spark, first, rows, "2026-10-30"), rows)
    land(RATES, "all", rates(spark), 760 * 4)
    for name in ("silver.fx_rates", SILVER):
        build(name, "first")
    gate("first")
    build(GOLD, "first")
    found: dict[str, list[float]] = {"silver": [], "gold": [], "bare merge": []}
    for turn in range(3):
        change = orders(spark, ROWS * TIMES - CHANGE // 2, CHANGE, f"2026-10-31 0{turn}:00:00")
        land(ORDERS, f"change-{turn}", change, CHANGE)
        found["silver"].append(seconds(partial(build, SILVER, f"run-{turn}")))
        gate(f"run-{turn}")
        found["gold"].append(seconds(partial(build, GOLD, f"run-{turn}")))
        keys = snapshot.read(spark, settings.lake().uri(SILVER)).filter("status = 'PAID'").persist()
        months = [row[0] for row in keys.select("order_month").distinct().collect()]
        found["bare merge"].append(seconds(partial(_bare_merge, spark, keys, months)))
        keys.unpersist()
    held = log.row_count(settings.lake().uri(GOLD), version(GOLD))
    if held != rows + CHANGE // 2:
        raise RuntimeError(f"gold has {held} rows: the figures mean nothing")
    return {name: min(times) for name, times in found.items()}


def start_spark(s3_url: str) -> SparkSession:
    """A session as a job has it, for more than a job's time."""
    builder = SparkSession.builder.appName("benchmark")
    many_rows = {"spark.sql.adaptive.enabled": "true", "spark.driver.memory": "3g"}
    for key, value in {**spark_conf.local_conf(s3_url, compilers=""), **many_rows, **session.CONF}.items():
        builder = builder.config(key, value)
    started: SparkSession = builder.getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    return started


def enter_new_lake(bucket: str) -> None:
    """Makes an empty bucket the lake of this process."""
    os.environ |= {"SLUICE_LAKE_BUCKET": bucket, "SLUICE_PROJECT": bucket}
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})


def main() -> int:
    """Prints the figures. Returns 0 whatever they are."""
    with tempfile.TemporaryDirectory() as logs, throw_away.server(Path(logs)) as aws:
        os.environ.update(spark_conf.environment(aws.environment()))
        spark = start_spark(aws.s3)
        results = {}
        for rows in (ROWS // 10, ROWS, ROWS * TIMES):  # the first warms the JVM up
            enter_new_lake(f"lake-{rows}")
            results[rows] = measure(spark, rows)
            print({rows: {name: round(took, 2) for name, took in results[rows].items()}}, file=sys.stderr)
        spark.stop()
    print(f"{'':<12}{ROWS:>12,} rows{ROWS * TIMES:>12,} rows   ratio")
    for name in ("silver", "gold", "bare merge"):
        small, large = results[ROWS][name], results[ROWS * TIMES][name]
        print(f"{name:<12}{small:>15.2f} s{large:>15.2f} s{large / small:>8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
