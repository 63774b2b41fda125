"""VACUUM: removes files that no version of the last week uses, and only if nobody may still need an older version.

It never runs with more than the table's own retention instead. Delta forgets which files an old commit removed once
that retention is over, and a longer VACUUM would take those files for nobody's, although a version that it is to keep
has them. So where an older version is needed, the files stay until it is not.

A session's fast listing of logs (`jobs/lake/session.py`) is off meanwhile. In Delta 4.2 it gives what lies below a
folder as if it lay in it, so that VACUUM takes the files of `_delta_log` for data that nobody uses, and removes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.lake.delta import log
from jobs.lake.delta.changes import FILES_KEPT
from jobs.lake.errors import ConfigurationError, LakeError
from jobs.maintenance.needed_versions import Need

LEAST_HOURS = 168
# Files are written and marked as removed before their commit: by as much as the longest step takes, and more.
MARGIN = timedelta(hours=24)
PROPERTY = "delta.deletedFileRetentionDuration"
_LOGGED = "spark.databricks.delta.vacuum.logging.enabled"
_FAST_LISTING = "delta.enableFastS3AListFrom"
_PARALLEL = "spark.databricks.delta.vacuum.parallelDelete.enabled"
_INTERVAL = re.compile(r"(?:interval )?(\d+) (hour|day|week)s?")
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24}


@dataclass(frozen=True)
class Retention:
    """For how long files stay.

    Attributes:
        hours: since they left the table.
        postponed: why nothing is removed yet; empty if it may be.
    """

    hours: int
    postponed: str = ""


def retention(uri: str, needs: Sequence[Need], now: datetime) -> Retention:
    """Whether VACUUM may run now, and with how many hours. It costs a request for each version that is needed.

    Raises:
        ConfigurationError: a person has set a retention for the table that can't be read.
    """
    hours = max(LEAST_HOURS, _own_hours(uri))
    for need in sorted(needs, key=lambda need: need.version):
        following = log.commit(uri, need.version + 1)
        if following is None:  # it is the newest version; or the log has forgotten it, and nobody can read it
            continue
        age = now - following.time  # since then, files of the version may have left the table
        if need.as_changes and age > FILES_KEPT:
            continue
        if age + MARGIN > timedelta(hours=hours):
            days = age / timedelta(days=1)
            return Retention(hours, f"version {need.version}, until {days:.1f} days ago the newest: {need.by}")
    return Retention(hours)


def count(spark: SparkSession, uri: str, hours: int) -> int:
    """How many data files VACUUM would remove. It changes nothing; it lists the table's folder.

    The markers that S3A leaves for empty folders don't count: there would be new ones after each VACUUM.

    Raises:
        LakeError: files of the table's log are among them.
    """
    with _set(spark, {_FAST_LISTING: "false"}):
        found = spark.sql(f"VACUUM delta.`{uri}` RETAIN {hours} HOURS DRY RUN")
        path = F.col("path")
        counted = F.count_if(path.endswith(".parquet")), F.count_if(path.contains("/_delta_log/"))
        number, of_log = found.agg(*counted).collect()[0]
    if of_log:
        raise LakeError(f"{uri}: VACUUM would remove {of_log} files of the table's log. Nothing was removed.")
    return int(number)


def run(spark: SparkSession, uri: str, hours: int, *, logged: bool) -> None:
    """Removes the files, also those of the change feed. Whoever calls it has called `count` before.

    Args:
        spark: the session.
        uri: of the table.
        hours: how long a file stays after it left the table.
        logged: say so in the table's log, before and after. Whoever does holds the table's lease.
    """
    with _set(spark, {_FAST_LISTING: "false", _LOGGED: str(logged).lower(), _PARALLEL: "true"}):
        spark.sql(f"VACUUM delta.`{uri}` RETAIN {hours} HOURS")


def _own_hours(uri: str) -> int:
    given = log.properties(uri).get(PROPERTY, f"interval {LEAST_HOURS} hours")
    found = _INTERVAL.fullmatch(given.strip().lower())
    if found is None:
        raise ConfigurationError(f"{uri} has {PROPERTY} = {given}; say it in hours, days or weeks: interval 30 days")
    return int(found[1]) * _HOURS[found[2]]


@contextmanager
def _set(spark: SparkSession, conf: Mapping[str, str]) -> Iterator[None]:
    for name, value in conf.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name in conf:
            spark.conf.unset(name)
