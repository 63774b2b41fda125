"""A commit by Spark lists a table's log from its last checkpoint on, however long the log is."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs.lake import settings
from jobs.lake.delta import log, writes
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.state import objects
from tests.jobs.lakehouse import frame, put, schema_of, silver_order

TABLE = "silver.orders"
PAGE = 20  # keys in one answer of S3, which gives 1,000


def pages_continued(spark: SparkSession, uri: str) -> int:
    """How often Spark asked S3 for the next page of a listing in this lake."""
    jvm = spark._jvm
    assert jvm
    files = jvm.org.apache.hadoop.fs.Path(uri).getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    return int(files.getIOStatistics().counters().getOrDefault("object_continue_list_request", 0))


@pytest.mark.slow
def test_append_lists_nothing_of_what_is_older_than_the_checkpoint(spark: SparkSession, lake: str) -> None:
    uri = settings.lake().uri(TABLE)
    for _ in range(2):
        put(TABLE, [silver_order()])
    log.open_table(uri).create_checkpoint()
    spark.sparkContext._jsc.hadoopConfiguration().set(f"fs.s3a.bucket.{lake}.paging.maximum", str(PAGE))
    folder = "silver/orders/_delta_log/00000000000000000000"  # as an old commit's neighbours
    for number in range(PAGE + 1):
        objects.write(f"{folder}.{number:04d}", b"x")
    before = pages_continued(spark, uri)

    writes.append(frame(spark, [silver_order("O2")], schema_of(TABLE)), uri, CommitRecord())

    assert log.version(uri) == 2
    assert pages_continued(spark, uri) == before
