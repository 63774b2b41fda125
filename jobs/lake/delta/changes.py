"""What changed in a table since a version, by its change feed. If that is gone, the caller reads the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.lake.delta import log, snapshot

FEED_COLUMNS = ("_change_type", "_commit_version", "_commit_timestamp")
BEFORE, AFTER = "_before", "_after"
# VACUUM keeps files that the newest version no longer uses for so long: `delta.deletedFileRetentionDuration`, here
# Delta's default.
FILES_KEPT = timedelta(days=7)


def inserted(spark: SparkSession, uri: str, since: int | None, until: int) -> DataFrame | None:
    """Rows of the batches that were added after version `since` and up to `until`, for append-only bronze.

    A batch that was replaced in between comes once, in its last form. Cost grows with the new rows.

    Returns:
        None if the feed can't answer: it is gone, `since` is None, or `since` is beyond `until` (the table was dropped
        and created again). A caller that then reads the whole table gets the same result, since silver keeps the
        newest row of each key.
    """
    if since == until:
        return snapshot.read(spark, uri, until).limit(0)
    feed = _feed(spark, uri, since, until)
    if feed is None:
        return None
    last = feed.groupBy(F.col("_batch_id").alias("_b")).agg(F.max("_commit_version").alias("_last"))
    kept = feed.filter(F.col("_change_type") == "insert").join(
        F.broadcast(last), (F.col("_batch_id") == F.col("_b")) & (F.col("_commit_version") == F.col("_last"))
    )
    return kept.drop(*FEED_COLUMNS, "_b", "_last")


def net(spark: SparkSession, uri: str, keys: Sequence[str], since: int | None, until: int) -> DataFrame | None:
    """What became of each key between two versions: the key's columns, and structs of the whole row.

    `_before` is the row at the start, `_after` the row at the end. A new key has no `_before`, and a deleted key has
    no `_after`. A key whose row ended as it began is left out. Cost grows with the changed rows.

    Returns:
        None if the feed can't answer: it is gone, `since` is None, or `since` is beyond `until`.
    """
    present = snapshot.read(spark, uri, until)
    row = F.struct(*present.columns)
    if since == until:
        return present.limit(0).select(*keys, row.alias(BEFORE), row.alias(AFTER))
    feed = _feed(spark, uri, since, until)
    if feed is None:
        return None
    exists = F.col("_change_type").isin("insert", "update_postimage")
    # Within one commit, a row's removal comes before its insertion.
    event = F.struct(row.alias("row"), exists.alias("exists"))
    moment = F.struct("_commit_version", exists)
    first, last = F.min_by(event, moment), F.max_by(event, moment)
    return (
        feed.groupBy(*keys)
        .agg(first.alias("_first"), last.alias("_last"))
        .select(
            *keys,
            F.when(~F.col("_first.exists"), F.col("_first.row")).alias(BEFORE),
            F.when(F.col("_last.exists"), F.col("_last.row")).alias(AFTER),
        )
        .filter(~F.col(BEFORE).eqNullSafe(F.col(AFTER)))
    )


def after(changed: DataFrame) -> DataFrame:
    """The rows of `net` as they are now; deleted ones are left out."""
    return changed.filter(F.col(AFTER).isNotNull()).select(f"{AFTER}.*")


def _feed(spark: SparkSession, uri: str, since: int | None, until: int) -> DataFrame | None:
    if since is None or since > until:
        return None
    if _may_be_vacuumed(uri, since + 1):
        print(f"{uri}: VACUUM may have removed changes from version {since + 1} on; reads the whole table")
        return None
    try:
        feed = (
            spark.read.format("delta")
            .option("readChangeFeed", "true")
            .option("startingVersion", since + 1)
            .option("endingVersion", until)
            .load(uri)
        )
        # Only planning the read shows whether each commit still has its changes.
        feed._jdf.queryExecution().executedPlan()
        return feed
    except AnalysisException as error:
        print(f"{uri}: no change feed from version {since + 1} ({error.getCondition()}); reads the whole table")
        return None


def _may_be_vacuumed(uri: str, version: int) -> bool:
    """Whether a version is so old that VACUUM or the clean-up of the log may have removed files of its changes."""
    commit = log.commit(uri, version)
    return commit is None or datetime.now(UTC) - commit.time > FILES_KEPT
