"""What is new in a table since a version: from its change feed, or all of it where the feed is gone."""

from __future__ import annotations

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]  # ships no types
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.lake import delta

FEED_COLUMNS = ("_change_type", "_commit_version", "_commit_timestamp")


def inserted(spark: SparkSession, uri: str, since: int | None, until: int) -> DataFrame:
    """Rows that were added after version `since` and up to `until`, for append-only tables.

    Costs follow the new rows. `since` None, a version whose feed the log has lost, or one beyond `until` (the table
    was made anew) gives the whole table at `until`: silver keeps the newest of each key, so the result is the same.
    """
    if since is None or since > until:
        return delta.read(spark, uri, until)
    if since == until:
        return delta.read(spark, uri, until).limit(0)
    try:
        feed = (
            spark.read.format("delta")
            .option("readChangeFeed", "true")
            .option("startingVersion", since + 1)
            .option("endingVersion", until)
            .load(uri)
        )
    except (AnalysisException, Py4JJavaError) as error:
        reason = _why_the_feed_is_gone(error)
        if reason is None:
            raise
        print(f"{uri}: no change feed from version {since + 1} ({reason}); reads all of it")
        return delta.read(spark, uri, until)
    return feed.filter(F.col("_change_type") == "insert").drop(*FEED_COLUMNS)


def _why_the_feed_is_gone(error: AnalysisException | Py4JJavaError) -> str | None:
    """The condition or class of the error; None for errors that say nothing about the feed."""
    if isinstance(error, AnalysisException):
        return error.getCondition() or type(error).__name__
    # A log that was cleaned up has no version to begin at: pyspark passes that error on as Java's.
    name = str(error.java_exception.getClass().getSimpleName())
    return name if "FileNotFound" in name else None
