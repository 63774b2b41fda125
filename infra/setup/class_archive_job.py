"""A small job that touches what every job touches: Delta over S3A, change feed, merge, windows, JSON, Parquet."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import boto3
from pyspark.sql import functions as F

from jobs.lake import difference, newest_wins, session
from jobs.lake.delta import snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord

LAKE = "s3://training/table"


def main() -> None:
    """Creates, appends, merges and reads one table."""
    boto3.client("s3").create_bucket(Bucket="training", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    spark = session.spark("training")
    rows = spark.range(100).select(
        F.col("id").cast("string").alias("key"),
        F.expr("CAST(id AS DECIMAL(18, 2))").alias("amount"),
        F.expr("CAST('2026-01-01' AS TIMESTAMP)").alias("updated_at"),
        F.lit("2026-01").alias("month"),
    )
    rows.write.parquet("s3://training/staging")
    staged = spark.read.parquet("s3://training/staging")
    writes.create(spark, LAKE, staged.schema, "month", "training")
    staged.write.format("delta").mode("overwrite").option("replaceWhere", "month = '2026-01'").save(LAKE)
    feed = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", 0).load(LAKE)
    newer = feed.select("key", F.expr("amount + 1").cast("decimal(18,2)").alias("amount"), "updated_at", "month")
    columns = staged.columns
    newer = newer.withColumn("_hash", newest_wins.content_hash(columns))
    newer = newer.withColumns({"_position": F.lit(None), "_ingested_at": F.current_timestamp()})
    best = newest_wins.newest(newer, columns, ("key",), ("updated_at",))
    compared = difference.compare(best, snapshot.read(spark, LAKE), ("key",)).persist()
    compared.groupBy("_class").count().collect()
    writes.merge(spark, LAKE, compared, keys=("key",), record=CommitRecord(), partitions=("month", ["2026-01"]))
    spark.createDataFrame([], staged.schema).write.format("delta").mode("append").save(LAKE)
    snapshot.read(spark, LAKE).orderBy("key").limit(5).collect()
    spark.stop()


if __name__ == "__main__":
    main()
