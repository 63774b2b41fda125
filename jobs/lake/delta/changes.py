"""What changed in a table since a version, by its change feed. If that is gone, the caller reads the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
# Their ids are listed in the commit. A RESTORE of a stream's table may undo the batches of days.
MOST_LOST = 1_000


@dataclass(frozen=True)
class BatchChanges:
    """What became of a bronze table's batches between two versions.

    Attributes:
        rows: rows that were added. A batch that lost rows comes whole, as it is now.
        former: rows, as they were at the start, of the batches that lost rows; None if no batch did.
        lost: ids of the batches that lost rows: they were replaced, or a person deleted from them, or a RESTORE did.
    """

    rows: DataFrame
    former: DataFrame | None = None
    lost: tuple[str, ...] = ()


def of_batches(spark: SparkSession, uri: str, since: int | None, until: int) -> BatchChanges | None:
    """What became of the batches after version `since` and up to `until`. Cost grows with the batches that changed.

    Returns:
        None if the feed can't answer: it is gone, `since` is None or beyond `until`, or more than `MOST_LOST`
        batches lost rows. The caller then reads the whole table.
    """
    now = snapshot.read(spark, uri, until)
    since = _past_housekeeping(uri, since, until)
    if since == until:
        return BatchChanges(now.limit(0))
    feed = _feed(spark, uri, since, until)
    if feed is None:
        return None
    added = feed.filter(F.col("_change_type") == "insert").drop(*FEED_COLUMNS)
    if not _may_remove_rows(uri, since, until):
        return BatchChanges(added)
    losing = (
        feed.filter("_change_type IN ('delete', 'update_preimage') AND _batch_id IS NOT NULL")
        .select("_batch_id")
        .distinct()
    )
    lost = sorted(row[0] for row in losing.limit(MOST_LOST + 1).collect())
    if len(lost) > MOST_LOST:
        print(f"{uri}: more than {MOST_LOST} batches lost rows since version {since}; reads the whole table")
        return None
    if not lost:
        return BatchChanges(added)
    of_lost = F.col("_batch_id").isin(lost)
    rows = added.filter(~of_lost).unionByName(now.filter(of_lost))
    return BatchChanges(rows, snapshot.read(spark, uri, since).filter(of_lost), tuple(lost))


def net(spark: SparkSession, uri: str, keys: Sequence[str], since: int | None, until: int) -> DataFrame | None:
    """What became of each key between two versions: the key's columns, and structs of the whole row.

    `_before` is the row at the start, `_after` the row at the end. A new key has no `_before`, and a deleted key has
    no `_after`. A key whose row ended as it began is left out. Cost grows with the changed rows.

    Returns:
        None if the feed can't answer: it is gone, `since` is None, or `since` is beyond `until`.
    """
    present = snapshot.read(spark, uri, until)
    row = F.struct(*present.columns)
    since = _past_housekeeping(uri, since, until)
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


def _past_housekeeping(uri: str, since: int | None, until: int) -> int | None:
    """The newest version that has the rows of `since`: the commits in between only moved them to other files.

    So a table that rested is not read whole only because its housekeeping is older than VACUUM keeps files.
    """
    while since is not None and since < until:
        following = log.commit(uri, since + 1)
        if following is None or not following.rearranges:
            break
        since += 1
    return since


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


def _may_remove_rows(uri: str, since: int | None, until: int) -> bool:
    """Whether a commit between the versions removed files, by Delta's own count; one that doesn't say may have."""
    for commit in log.commits(uri):
        if since is None or commit.version <= since:
            return False
        if commit.version <= until and commit.files_removed != 0 and not commit.rearranges:
            return True
    return True


def _may_be_vacuumed(uri: str, version: int) -> bool:
    """Whether a version is so old that VACUUM or the clean-up of the log may have removed files of its changes."""
    commit = log.commit(uri, version)
    return commit is None or datetime.now(UTC) - commit.time > FILES_KEPT
