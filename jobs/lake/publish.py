"""Publishes a gold table from the versions that the gate passed: computes, audits, then commits the difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.lake import computed, conform, difference, input_columns, key_audit, settings, table_module, tables
from jobs.lake.delta import changes, inputs, log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.difference import CHANGED, DELETED, NEW, UNCHANGED
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, leases, ledger


@dataclass(frozen=True)
class AffectedRows:
    """The rows of a gold table that may differ because its inputs changed.

    Attributes:
        keys: the keys of these rows, each once.
        inputs: the input rows from which `compute` makes the rows of exactly these keys.
        partitions: partition values in which these keys are or will be; None if they can be anywhere.
    """

    keys: DataFrame
    inputs: Mapping[str, DataFrame]
    partitions: Sequence[str] | None = None


Frames = Mapping[str, DataFrame]  # by table
# A pure function from the input tables' rows to the gold table's.
Compute = Callable[[Frames], DataFrame]
# From the inputs' net changes (`changes.net`) and the inputs: the affected rows, or None to compute the whole table.
Affected = Callable[[Frames, Frames], AffectedRows | None]
# Takes the rows to write and the whole new content; it raises an error to refuse them.
Audit = Callable[[DataFrame, DataFrame], None]


def publish(
    spark: SparkSession,
    run: Run,
    table: Table,
    schema: StructType,
    compute: Compute,
    audit: Audit,
    affected: Affected | None = None,
) -> Counts:
    """Updates the table to what its gated inputs say. No reader ever sees a row that failed the audit.

    Cost grows with the input rows that changed since the last commit, the affected rows, and their partitions. The
    whole table is computed instead, with the same result, in these cases: without `affected`, the first time, on a
    full refresh, by a release other than the last commit's, and if an input's change feed is gone. A second run
    changes nothing. Neither does a run whose inputs are older than those published.

    Args:
        spark: the session.
        run: names the gate's verdict to obey.
        table: the gold table.
        schema: its columns.
        compute: makes its rows.
        audit: called before the commit, unless nothing changes.
        affected: limits the work to what changed.

    Raises:
        GateError: the gate passed no version of an input, keys of the inputs are not in what was computed or the other
            way round, or the audit refused.
    """
    uri = settings.lake().uri(table.name)
    with leases.hold(run, table.name) as held:
        retired = table_module.retired(table)
        writes.create(spark, uri, schema, table.partition_by, table.description, run=run, retired=retired)
        ledger.record(table.name)
        last = log.newest_of(uri, run.step)
        versions = {
            name: _not_before(name, version, last)
            for name, version in gate_verdicts.passed_versions(run, table.depends_on).items()
        }
        frames = {name: _input(spark, name, version) for name, version in versions.items()}
        changed = _changed(spark, versions, last) if affected and _may_be_partial(run, uri, last) else None
        affected_rows = affected(changed, frames) if affected and changed is not None else None
        source = frames if affected_rows is None else affected_rows.inputs
        current = snapshot.read(spark, uri).select(schema.names)
        touched = current if affected_rows is None else _rows_of(current, affected_rows, table)
        made = compute(source)
        new = made.select(conform.columns(made, schema, table.name))
        rows = computed.once(difference.compare(new, touched, table.keys))
        classes = {row["_class"]: row["count"] for row in rows.groupBy("_class").count().collect()}
        if affected_rows is not None and changed is not None:
            key_audit.refuse_missed(table, changed, affected_rows.keys)
        counts = Counts(
            read=key_audit.refuse_lost(table, source, rows.filter(F.col("_class") != DELETED)),
            written=classes.get(NEW, 0) + classes.get(CHANGED, 0),
            unchanged=classes.get(UNCHANGED, 0),
            deleted=classes.get(DELETED, 0),
        )
        if counts.written or counts.deleted:
            audit(difference.to_write(rows, schema.names), _content(current, rows, table, schema, affected_rows))
        record = CommitRecord.of(
            run,
            inputs=versions,
            input_ids=inputs.ids(versions),
            counts=counts,
            whole=affected_rows is None,
            fencing=held[table.name].fencing,
        )
        held[table.name].renew()
        difference.commit(spark, uri, table, rows, classes, record)
        ledger.record(table.name)
    return counts


def _input(spark: SparkSession, name: str, version: int) -> DataFrame:
    return input_columns.of_rows(snapshot.read(spark, settings.lake().uri(name), version), name)


def _may_be_partial(run: Run, uri: str, last: Commit | None) -> bool:
    """Whether the same release made the last commit, and nobody else has changed rows since.

    Another release may compute other rows, and what another program changed is put right.
    """
    if run.full_refresh or last is None or last.record is None or last.record.code != run.code:
        return False
    since = takewhile(lambda commit: commit.version > last.version, log.effective(uri))
    return not any(commit.foreign for commit in since)


def _not_before(name: str, version: int, last: Commit | None) -> int:
    """The gated version, or the published one if it is newer: a run that another overtook must not take gold back.

    What is published passed a gate too.
    """
    published = inputs.read_before(name, last)
    return version if published is None else max(version, published)


def _changed(spark: SparkSession, versions: Mapping[str, int], last: Commit | None) -> dict[str, DataFrame] | None:
    """The net changes of each input since the last commit; None if an input can't say them."""
    changed: dict[str, DataFrame] = {}
    for name, version in versions.items():
        keys, since = tables.table(name).keys, inputs.read_before(name, last)
        net = changes.net(spark, settings.lake().uri(name), keys, since, version)
        if net is None:
            return None
        changed[name] = computed.once(input_columns.of_changes(net, name))
    return changed


def _rows_of(current: DataFrame, affected_rows: AffectedRows, table: Table) -> DataFrame:
    if affected_rows.partitions is not None and table.partition_by:
        current = current.filter(F.col(table.partition_by).isin(list(affected_rows.partitions)))
    return current.join(affected_rows.keys, list(table.keys), "left_semi")


def _content(
    current: DataFrame, rows: DataFrame, table: Table, schema: StructType, affected_rows: AffectedRows | None
) -> DataFrame:
    """The table as it will be."""
    new = rows.filter(F.col("_class") != DELETED).select(schema.names)
    if affected_rows is None:
        return new
    return current.join(affected_rows.keys, list(table.keys), "left_anti").unionByName(new)
