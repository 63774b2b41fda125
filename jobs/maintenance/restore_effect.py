"""What a restore would do to a table's rows, in numbers: it shows no value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.lake import difference
from jobs.lake.delta import changes, log, snapshot
from jobs.maintenance import restore_target
from jobs.maintenance.restore_target import Target

LISTED = 50  # batches
Files = dict[str, tuple[frozenset[str], int]]  # batch -> its files and their rows


@dataclass(frozen=True)
class Effect:
    """Rows of the table as it is, against those of the version.

    Attributes:
        go: rows that the version does not have.
        come: rows that only the version has.
        change: rows whose key both have, with other values.
        batches: bronze: rows that go and that come, by batch.
        note: columns that go and that come, or why nothing was counted; empty as a rule.
    """

    go: int
    come: int
    change: int
    batches: dict[str, tuple[int, int]]
    note: str = ""

    def lines(self, target: Target) -> Iterator[str]:
        """For a person."""
        by = f", by {', '.join(target.table.keys)}" if target.table.keys else ""
        yield f"  rows that go: {self.go}, that come back: {self.come}, that change: {self.change}{by}"
        for batch, (go, come) in list(self.batches.items())[:LISTED]:
            yield f"    batch {batch}: {go} go, {come} come back"
        if len(self.batches) > LISTED:
            yield f"    and {len(self.batches) - LISTED} more batches"
        if self.note:
            yield f"  {self.note}"


def of(spark: SparkSession, target: Target) -> Effect:
    """Cost grows with what changed since the version; it reads all rows of both if the change feed is gone.

    A table of which files are gone can't be compared, and may go back all the same.
    """
    if missing := restore_target.missing_files(target.uri, target.newest)[0]:
        return Effect(0, 0, 0, {}, f"not counted: {len(missing)} files of the newest version are gone")
    then, now = (snapshot.read(spark, target.uri, number) for number in (target.version, target.newest))
    same = [name for name in now.columns if name in then.columns]
    going, coming = set(now.columns) - set(same), set(then.columns) - set(same)
    words = [f"columns that {what}: {', '.join(sorted(names))}" for what, names in
             (("go", going), ("come back", coming)) if names]  # fmt: skip
    if target.table.keys:
        numbers = _by_keys(spark, target, then.select(same), now.select(same), whole=bool(words))
        go, come, change = numbers
        return Effect(go, come, change, {}, "; ".join(words))
    batches = _by_batches(target, then.select(same), now.select(same))
    go, come = (sum(numbers[side] for numbers in batches.values()) for side in (0, 1))
    return Effect(go, come, 0, batches, "; ".join(words))


def _by_keys(spark: SparkSession, target: Target, then: DataFrame, now: DataFrame, *, whole: bool) -> tuple[int, ...]:
    """Keys that go, come and change."""
    keys = target.table.keys
    net = None if whole else changes.net(spark, target.uri, keys, target.version, target.newest)
    if net is not None:
        was, is_now = F.col(changes.BEFORE).isNotNull(), F.col(changes.AFTER).isNotNull()
        counted = net.agg(F.count_if(is_now & ~was), F.count_if(was & ~is_now), F.count_if(was & is_now))
        return tuple(counted.collect()[0])
    classes = difference.compare(then, now, keys).groupBy("_class").count().collect()
    numbers = {row["_class"]: row["count"] for row in classes}
    return tuple(numbers.get(name, 0) for name in (difference.DELETED, difference.NEW, difference.CHANGED))


def _by_batches(target: Target, then: DataFrame, now: DataFrame) -> dict[str, tuple[int, int]]:
    """Rows that go and come of each batch that differs. It reads the batches whose files differ, and no other."""
    was, is_now = (_files(target.uri, number) for number in (target.version, target.newest))
    differing = sorted(batch for batch in was.keys() | is_now.keys() if was.get(batch) != is_now.get(batch))
    if not differing:
        return {}
    of = F.col("_batch_id").isin(differing)
    then, now = then.filter(of), now.filter(of)
    sides = [
        {row["_batch_id"]: row["count"] for row in one.exceptAll(other).groupBy("_batch_id").count().collect()}
        for one, other in ((now, then), (then, now))
    ]
    found = {batch: (sides[0].get(batch, 0), sides[1].get(batch, 0)) for batch in differing}
    return {batch: numbers for batch, numbers in found.items() if any(numbers)}


def _files(uri: str, version: int) -> Files:
    found = log.open_table(uri, version)
    if found is None or not found.file_uris():
        return {}
    actions = pa.table(found.get_add_actions(flatten=True))
    wanted = actions.select(["path", "num_records", "partition._batch_id"]).to_pylist()
    files: dict[str, list[tuple[str, int]]] = {}
    for file in wanted:
        files.setdefault(file["partition._batch_id"], []).append((file["path"], file["num_records"] or 0))
    return {
        batch: (frozenset(path for path, _ in of_batch), sum(rows for _, rows in of_batch))
        for batch, of_batch in files.items()
    }
