"""Reads bronze for a silver table: what is new since the last commit, as rows of the silver table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import conform, newest_wins, settings, tables, unfit
from jobs.lake.delta import changes, inputs, log, snapshot
from jobs.lake.delta.changes import BatchChanges
from jobs.lake.delta.log import Commit
from jobs.lake.errors import ConfigurationError, LakeError
from jobs.lake.registry import Table
from jobs.lake.run import Run

Reader = Callable[[DataFrame], DataFrame]
POSITION_TYPE = "array<bigint>"


@dataclass(frozen=True)
class Bronze:
    """The bronze tables of a silver table, and how their rows become its rows.

    Attributes:
        spark: the session.
        schema: the silver table's columns.
        readers: for each bronze table, the pure function from its rows to the table's columns.
        broken_rules: names of the row rules that a row breaks, joined by `; `; empty for a good row.
    """

    spark: SparkSession
    schema: StructType
    readers: Mapping[str, Reader]
    broken_rules: Column

    def rows(self, versions: Mapping[str, int]) -> DataFrame:
        """All rows of these versions, typed."""
        frames = [
            self.typed(snapshot.read(self.spark, settings.lake().uri(source), version), source)
            for source, version in versions.items()
        ]
        return reduce(DataFrame.unionByName, frames)

    def typed(self, raw: DataFrame, source: str) -> DataFrame:
        """Bronze rows with the table's columns.

        Besides: `_source_table`, `_batch_id`; `_rule`: why the row can't be in the table, empty for a good row; `_raw`
        of a bad row: as it was read, for the quarantine; and what tells the newer of two rows of the same time:
        `_position` and `_ingested_at`, and `_hash` of the columns.
        """
        as_read = F.struct(*[name for name in raw.columns if name != newest_wins.READ_AT])
        raw = unfit.with_given(raw, self.schema).withColumns({"_read": as_read, "_source_table": F.lit(source)})
        typed = self.readers[source](raw)
        position = F.col(newest_wins.POSITION) if newest_wins.POSITION in typed.columns else F.lit(None)
        columns = conform.columns(typed, self.schema, f"reader of {source}")
        fitted = typed.select(
            *columns,
            "_read",
            "_source_table",
            "_batch_id",
            position.cast(POSITION_TYPE).alias(newest_wins.POSITION),
            newest_wins.READ_AT,
            unfit.column(self.schema),
        ).withColumn(newest_wins.HASH, newest_wins.content_hash(self.schema.names))
        # By default, to_json leaves null fields out; the quarantine has to show the row as it was read.
        text = F.to_json("_read", {"ignoreNullFields": "false", **newest_wins.EXACT_TIMES})
        ruled = unfit.with_rule(fitted, self.schema, self.broken_rules)
        return ruled.withColumn("_raw", F.when(F.col("_rule") != "", text)).drop("_read")


@dataclass(frozen=True)
class Arrived:
    """Bronze rows to bring into the table, typed, and where in bronze they come from.

    Attributes:
        rows: the rows.
        former: rows, as they were read before, of batches that have lost rows since; None if none has.
        lost: ids of these batches, by bronze table. They come whole in `rows`, unless they are empty now.
        inputs: version of each bronze table.
        since: the version of each bronze table after which its rows were read; None for all rows.
        rebuilds: all of bronze was read: the table is to hold what bronze gives, and nothing else.
        whole: bronze tables that were read completely. Their batches are not listed: a stream has too many.
    """

    rows: DataFrame
    inputs: Mapping[str, int]
    since: Mapping[str, int | None]
    former: DataFrame | None = None
    lost: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rebuilds: bool = False
    whole: tuple[str, ...] = ()


def read(bronze: Bronze, run: Run, table: Table) -> Arrived:
    """What the run has to bring into the table. Cost grows with the batches that changed.

    It reads all of bronze on a full refresh, for the first commit, if a bronze table can't say what changed, and if a
    RESTORE undid a commit for which batches were read again.

    Raises:
        LakeError: a bronze table does not exist yet, or the table was never built and batches are to be read again.
        ConfigurationError: batches are to be read again, but a RESTORE undid such a read: the table is built first.
    """
    last = log.newest_of(settings.lake().uri(table.name), run.step)
    undone = last is not None and _reread_was_undone(run, table, last)
    if run.batches:
        if undone:
            raise ConfigurationError(
                f"{table.name} was restored to before batches were read again, so that all of bronze is to be read "
                f"first. Nothing was written. Run the step {table.name}, then this again."
            )
        return _again(bronze, run, table, last)
    versions = _versions(bronze.readers, last)
    since = {source: inputs.read_before(source, last) for source in versions}
    found = None if run.full_refresh or last is None or undone else _changed(bronze, versions, since, last)
    if found is None:
        return Arrived(bronze.rows(versions), versions, dict.fromkeys(versions), rebuilds=True, whole=tuple(versions))
    former = [bronze.typed(change.former, source) for source, change in found.items() if change.former is not None]
    return Arrived(
        rows=reduce(DataFrame.unionByName, [bronze.typed(change.rows, source) for source, change in found.items()]),
        inputs=versions,
        since=since,
        former=reduce(DataFrame.unionByName, former) if former else None,
        lost={source: change.lost for source, change in found.items() if change.lost},
        whole=tuple(source for source, version in since.items() if version is None),
    )


def _reread_was_undone(run: Run, table: Table, last: Commit) -> bool:
    """Whether a RESTORE undid a replay or a full refresh: what it moved between table and quarantine is in no change.

    Costs one request as a rule, and one for each commit that was undone.
    """
    for commit in log.newest(settings.lake().uri(table.name)):
        if commit.version <= last.version:
            return False
        if (record := commit.record) and record.step == run.step and (record.replayed or record.rebuilds):
            print(f"{table.name}: a RESTORE undid version {commit.version}, which had read batches again; reads all")
            return True
    return True  # so many commits were undone that nobody knows


def _changed(
    bronze: Bronze, versions: Mapping[str, int], since: Mapping[str, int | None], last: Commit
) -> dict[str, BatchChanges] | None:
    """What became of the batches of each bronze table; None if one that was read before can't say it."""
    found: dict[str, BatchChanges] = {}
    for source, version in versions.items():
        uri = settings.lake().uri(source)
        if source not in last.inputs:  # a stream that has started since
            found[source] = BatchChanges(snapshot.read(bronze.spark, uri, version))
            continue
        change = changes.of_batches(bronze.spark, uri, since[source], version)
        if change is None:
            return None
        found[source] = change
    return found


def _again(bronze: Bronze, run: Run, table: Table, last: Commit | None) -> Arrived:
    """The rows of `run.batches` once more, at the bronze versions that the table was made of."""
    if last is None or not last.inputs:
        raise LakeError(f"{table.name} was never built: there is nothing to read again")
    versions = {}
    for source, version in last.inputs.items():
        known = inputs.read_before(source, last)
        versions[source] = version if known is not None else _newest(source)
    rows = bronze.rows(versions).filter(F.col("_batch_id").isin(list(run.batches)))
    return Arrived(rows, versions, dict.fromkeys(versions))


def _versions(sources: Iterable[str], last: Commit | None) -> dict[str, int]:
    """The newest version of each bronze table; a stream that has not started yet is left out.

    Raises:
        LakeError: a bronze table does not exist yet.
    """
    found: dict[str, int] = {}
    for source in sources:
        known = last.inputs if last else {}
        if tables.table(source).continuous and source not in known and log.version(settings.lake().uri(source)) is None:
            print(f"{source} has no table yet: its stream has not started")
        else:
            found[source] = _newest(source)
    return found


def _newest(source: str) -> int:
    version = log.version(settings.lake().uri(source))
    if version is None:
        raise LakeError(f"{source} has no table yet: run its step first")
    return version
