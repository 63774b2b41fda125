"""What changed in a table since a version: from its change feed, or nothing to go by where the feed is gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.lake.delta import log, snapshot

FEED_COLUMNS = ("_change_type", "_commit_version", "_commit_timestamp")
BEFORE, AFTER = "_before", "_after"
# Files that the newest version does without stay for so long: `delta.deletedFileRetentionDuration`, Delta's default.
FILES_KEPT = timedelta(days=7)


def inserted(spark: SparkSession, uri: str, since: int | None, until: int) -> DataFrame | None:
    """Rows of the batches that were added after version `since` and up to `until`, for append-only bronze.

    A batch that was replaced in between comes once, as it was left. Costs follow the new rows.

    Returns:
        None where that can't be told: `since` is None or beyond `until` (the table was made anew), or the feed is
        gone. Who reads the whole table then gets the same result, since silver keeps the newest of each key.
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
    """What became of each key between two versions: its columns, `_before` and `_after` as structs of the whole row.

    A key that is new has no `_before`, a deleted one no `_after`; one that ended as it began is left out. Costs
    follow the changed rows.

    Returns:
        None where that can't be told: `since` is None or beyond `until`, or the feed is gone.
    """
    present = snapshot.read(spark, uri, until)
    row = F.struct(*present.columns)
    if since == until:
        return present.limit(0).select(*keys, row.alias(BEFORE), row.alias(AFTER))
    feed = _feed(spark, uri, since, until)
    if feed is None:
        return None
    ends = F.col("_change_type").isin("insert", "update_postimage")
    # Within one commit a row leaves before it comes back.
    event = F.struct(row.alias("row"), ends.alias("there"))
    moment = F.struct("_commit_version", ends)
    first, last = F.min_by(event, moment), F.max_by(event, moment)
    return (
        feed.groupBy(*keys)
        .agg(first.alias("_first"), last.alias("_last"))
        .select(
            *keys,
            F.when(~F.col("_first.there"), F.col("_first.row")).alias(BEFORE),
            F.when(F.col("_last.there"), F.col("_last.row")).alias(AFTER),
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
        print(f"{uri}: changes from version {since + 1} may be vacuumed; reads all of it")
        return None
    try:
        feed = (
            spark.read.format("delta")
            .option("readChangeFeed", "true")
            .option("startingVersion", since + 1)
            .option("endingVersion", until)
            .load(uri)
        )
        # Whether each commit has its changes shows when the read is planned, and not before.
        feed._jdf.queryExecution().executedPlan()
        return feed
    except AnalysisException as error:
        print(f"{uri}: no change feed from version {since + 1} ({error.getCondition()}); reads all of it")
        return None


def _may_be_vacuumed(uri: str, version: int) -> bool:
    """Whether a version is so old that VACUUM, or the clean-up of the log, may have taken files of its changes."""
    commit = next((commit for commit in log.commits(uri) if commit.version <= version), None)
    return commit is None or datetime.now(UTC) - commit.time > FILES_KEPT
