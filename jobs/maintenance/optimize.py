"""OPTIMIZE: which partitions of a table are worth it, and the one commit that sorts or joins their files.

- *Silver and gold* are sorted by Z-order on the registry's columns, so that a query for one value reads few files.
- *Bronze* is compacted. A batch is a partition of its own and is replaced as one: files are joined within a batch,
  never across batches, so that a batch of one file has nothing to gain.
- *Streams and quarantine* are compacted: small files are joined, files of a useful size stay.

Only partitions that got a file since the table's last housekeeping are looked at, so that the cost follows the change.
A table without partitions is one partition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow.compute as pc
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from jobs.maintenance.housed_tables import HousedTable
from jobs.maintenance.layout import Layout

FILE_BYTES = 128 * 1024 * 1024  # of the files that it makes
# Compaction leaves larger files alone. Below what a stream's own compaction makes, so that it is not done again.
SMALL_BYTES = 32 * 1024 * 1024
_MIN, _MAX = "spark.databricks.delta.optimize.minFileSize", "spark.databricks.delta.optimize.maxFileSize"


@dataclass(frozen=True)
class Plan:
    """What OPTIMIZE is to do with a table.

    Attributes:
        partitions: the values of the partitions that it rewrites; (None,) for a table without partitions.
        of: how many partitions there are.
        files: how many files it rewrites.
    """

    partitions: tuple[str | None, ...]
    of: int
    files: int

    @property
    def whole(self) -> bool:
        """Whether it is about every partition."""
        return len(self.partitions) == self.of


def plan(table: HousedTable, now: Layout, last: Layout | None) -> Plan:
    """The partitions that changed since the last housekeeping and that have files to sort or to join.

    Args:
        table: that is looked after.
        now: its files.
        last: its files as the last housekeeping left them; None if there was none, or nobody knows any more.
    """
    files = now.files
    changed = files
    if last is not None:
        changed = files.filter(pc.invert(pc.is_in(files["path"], last.files["path"].combine_chunks())))
    touched = set(changed["partition"].to_pylist())
    worth = files if table.zorder_by else files.filter(pc.less(files["bytes"], SMALL_BYTES))
    numbers = Counter(worth["partition"].to_pylist())
    chosen = tuple(value for value in sorted(numbers, key=str) if value in touched and numbers[value] > 1)
    return Plan(chosen, len(set(files["partition"].to_pylist())), sum(numbers[value] for value in chosen))


def run(spark: SparkSession, table: HousedTable, planned: Plan) -> None:
    """Rewrites the files of the planned partitions in one commit. No row changes."""
    optimize = DeltaTable.forPath(spark, table.uri).optimize()
    if not planned.whole:
        optimize = optimize.where(_condition(str(table.partition_by), planned.partitions))
    with _file_sizes(spark):
        if table.zorder_by:
            optimize.executeZOrderBy(*table.zorder_by)
        else:
            optimize.executeCompaction()


def _condition(column: str, values: Sequence[str | None]) -> str:
    quoted = [value.replace("\\", "\\\\").replace("'", "\\'") for value in values if value is not None]
    literals = ", ".join(f"'{value}'" for value in quoted)
    parts = [f"`{column}` IN ({literals})"] if literals else []
    parts += [f"`{column}` IS NULL"] if None in values else []
    return " OR ".join(parts)


@contextmanager
def _file_sizes(spark: SparkSession) -> Iterator[None]:
    spark.conf.set(_MIN, str(SMALL_BYTES))
    spark.conf.set(_MAX, str(FILE_BYTES))
    try:
        yield
    finally:
        spark.conf.unset(_MIN)
        spark.conf.unset(_MAX)
