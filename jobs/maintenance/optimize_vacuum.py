"""The weekly housekeeping: `run.py maintenance.optimize_vacuum [TABLE] [--tables A,B] [--dry-run]`.

For each table, under its lease: OPTIMIZE of the partitions that changed, then VACUUM, then one commit with the figures,
which the ledger shows. No row changes, and no step has anything to do because of it. It may be killed at any moment
and run again. Nothing undoes a VACUUM: what it removes, no version of the last week has.

A stream that runs keeps its tables: it joins its small files itself, so that only VACUUM, which needs no commit, runs.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from delta import exceptions
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from jobs.lake import session
from jobs.lake.delta import log, writes
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.error_line import in_a_line
from jobs.lake.errors import LakeError
from jobs.lake.run import Run
from jobs.lake.state import lease_owner, leases, ledger, objects
from jobs.lake.state.lease_owner import Standing
from jobs.lake.state.leases import Lease
from jobs.maintenance import housed_tables, layout, needed_versions, optimize, vacuum
from jobs.maintenance.housed_tables import HousedTable
from jobs.maintenance.layout import Layout
from jobs.maintenance.vacuum import Retention

import_module("delta.exceptions.captured")  # without it, a conflict comes to Python as any other error of the JVM
# They have no class in common.
CONFLICTS: tuple[type[PySparkException], ...] = tuple(getattr(exceptions, name) for name in exceptions.__all__)
TRIES = 3  # of OPTIMIZE, when a program without a lease writes the table at the same moment
PAUSE = 5.0  # seconds between them


def housekeep(run: Run) -> None:
    """Looks after the named table, those of `--tables`, or all. Cost follows what changed, but VACUUM lists each table.

    Raises:
        ConfigurationError: there is no such table.
        LakeError: it failed for some tables, which the message names; the others are done.
    """
    chosen = housed_tables.chosen([run.subject] if run.subject else run.tables)
    spark = session.spark(run.step)
    failed: dict[str, str] = {}
    for table in chosen:
        try:
            _one(spark, run, table)
        except Exception as error:  # the run fails with it once the other tables are done
            if not isinstance(error, LakeError):
                traceback.print_exc()
            failed[table.name] = in_a_line(error)
            print(f"{table.name}: FAILED: {failed[table.name]}", flush=True)
    if failed:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise LakeError(
            f"housekeeping failed for {len(failed)} of {len(chosen)} tables, and is done for the others. {reasons}. "
            "No row was changed. Run it again: what is done is not done twice."
        )


def _one(spark: SparkSession, run: Run, table: HousedTable) -> None:
    if log.version(table.uri) is None:
        print(f"{table.name}: no table yet", flush=True)
    elif run.dry_run:
        _show(spark, run, table)
    elif _streamed(table):
        print(f"{table.name}: its stream runs, and joins its small files itself", flush=True)
        _vacuum(spark, table, logged=False)
    else:
        with leases.hold(run, table.name) as held:
            _keep(spark, run, table, held[table.name])


def _show(spark: SparkSession, run: Run, table: HousedTable) -> None:
    now = _read(table)
    streamed = _streamed(table)
    planned = optimize.plan(table, now, _last(run, table))
    asked, _ = now.scanned(layout.sample(table))
    cost = f"; a look-up by {table.looked_up} reads {asked} files" if table.looked_up else ""
    print(f"{table.name}: {now.number} files, {now.bytes} bytes{cost}", flush=True)
    if streamed:
        print(f"{table.name}: its stream runs, and joins its small files itself", flush=True)
    else:
        print(f"{table.name}: would {_words(table, planned)}", flush=True)
    kept = _retention(table)
    _say(table, kept, "would remove", 0 if kept.postponed else vacuum.count(spark, table.uri, kept.hours))


def _keep(spark: SparkSession, run: Run, table: HousedTable, lease: Lease) -> None:
    """Looks after a table whose lease is held."""
    before, optimized = _read(table), _optimize(spark, run, table, lease)
    after = _read(table)
    record = CommitRecord.of(run, fencing=lease.fencing)
    with writes.recorded(spark, record):
        removed = _vacuum(spark, table, logged=True, before_commits=lease.renew)
    if optimized or removed.get("vacuum_files"):
        figures: dict[str, float] = {**optimized, **removed, **_compared(table, before, after)}
        lease.renew()
        closing = CommitRecord.of(run, fencing=lease.fencing, housekeeping=figures)
        writes.commit_nothing(spark, table.uri, closing)
    if table.continuous:
        ledger.record_stream(table.name)
    else:
        ledger.record(table.name)


def _optimize(spark: SparkSession, run: Run, table: HousedTable, lease: Lease) -> dict[str, float]:
    """Figures of the OPTIMIZE; {} if there was nothing to do.

    Raises:
        PySparkException: another program wrote the same files each time.
    """
    for attempt in range(1, TRIES + 1):
        begun = time.monotonic()
        planned = optimize.plan(table, _read(table), _last(run, table))
        if not planned.partitions:
            print(f"{table.name}: no partition with files to join has changed", flush=True)
            return {}
        print(f"{table.name}: {_words(table, planned)}", flush=True)
        lease.renew()
        try:
            with writes.recorded(spark, CommitRecord.of(run, fencing=lease.fencing)):
                optimize.run(spark, table, planned)
        except CONFLICTS:
            if attempt == TRIES:
                raise
            print(f"{table.name}: another program wrote it at the same moment; tries again", flush=True)
            time.sleep(PAUSE)
        else:
            seconds = round(time.monotonic() - begun, 1)
            return {"optimized_partitions": len(planned.partitions), "optimize_seconds": seconds}
    raise AssertionError("not reached")


def _vacuum(
    spark: SparkSession, table: HousedTable, *, logged: bool, before_commits: Callable[[], object] = lambda: None
) -> dict[str, float]:
    """Figures of the VACUUM."""
    kept, begun = _retention(table), time.monotonic()
    number = 0 if kept.postponed else vacuum.count(spark, table.uri, kept.hours)
    _say(table, kept, "removes", number)
    if number:
        before_commits()
        vacuum.run(spark, table.uri, kept.hours, logged=logged)
    seconds = round(time.monotonic() - begun, 1)
    return {"vacuum_files": number, "vacuum_hours": kept.hours, "vacuum_seconds": seconds}


def _compared(table: HousedTable, before: Layout, after: Layout) -> dict[str, float]:
    """Files and bytes before and after, and what a look-up of one value reads."""
    found: dict[str, float] = {"files_before": before.number, "files_after": after.number}
    found |= {"bytes_before": before.bytes, "bytes_after": after.bytes}
    if table.looked_up:
        values = layout.sample(table)
        for name, each in (("before", before), ("after", after)):
            found[f"lookup_files_{name}"], found[f"lookup_bytes_{name}"] = each.scanned(values)
    return found


def _retention(table: HousedTable) -> Retention:
    return vacuum.retention(table.uri, needed_versions.of(table.name), datetime.now(UTC))


def _say(table: HousedTable, kept: Retention, verb: str, number: int) -> None:
    if kept.postponed:
        print(f"{table.name}: VACUUM waits, since somebody may need {kept.postponed}", flush=True)
    else:
        print(f"{table.name}: VACUUM {verb} {number} files that left the table {kept.hours} h ago or more", flush=True)


def _words(table: HousedTable, planned: optimize.Plan) -> str:
    how = f"sort by {', '.join(table.zorder_by)}" if table.zorder_by else "join the files"
    return f"{how}: {planned.files} files in {len(planned.partitions)} of {planned.of} partitions"


def _read(table: HousedTable) -> Layout:
    found = layout.read(table)
    if found is None:
        raise LakeError(f"{table.name} was dropped while it was looked after. Run it again.")
    return found


def _last(run: Run, table: HousedTable) -> Layout | None:
    """The table's files as its last housekeeping left them; None if there was none, or nobody knows any more."""
    mark = log.newest_of(table.uri, run.step)
    return layout.read(table, mark.version) if mark else None


def _streamed(table: HousedTable) -> bool:
    """Whether a stream holds the table, or may."""
    body: dict[str, Any] | None = objects.read_json(lease_owner.key(table.name)) if table.continuous else None
    return body is not None and lease_owner.standing(body) is not Standing.GONE
