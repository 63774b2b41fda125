"""How far a source has been read. The commits of its bronze table say it, so that data and watermark can't disagree.

After a RESTORE the source is read again from where the restored table ends; a table that was dropped is read from the
beginning. The object `_checkpoints/<source>/<object>/watermark.json` shows the watermark to people. It decides one
thing only: without it, everything is read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.log import Commit
from jobs.lake.registry import Table
from jobs.lake.run import Run, Window, utc
from jobs.lake.state import objects

# A retry looks for its own commit behind those of other runs, such as backfills.
COMMITS_SEARCHED = 50


def _key(table: Table) -> str:
    return f"_checkpoints/{table.source}/watermark.json"


def window(run: Run, table: Table) -> Window:
    """The window of source time that this run reads.

    Exact runs read their interval, and full refreshes read everything up to its end. Other runs read to the end of
    their interval too, but never beyond now. They start the table's overlap before the watermark. If the watermark
    has already passed the interval, they start the overlap before the interval instead. A run that has committed
    gets its own window again, so that a retry reads the same.

    Raises:
        ValueError: the run has no interval, or it is empty.
    """
    if run.window_end is None:
        raise ValueError("a bronze step needs --window-end")
    if run.exact:
        if run.window_start is None:
            raise ValueError("an exact window needs --window-start")
        return Window(run.window_start, run.window_end)
    end = min(run.window_end, _now())
    read_to = None if run.full_refresh else _read_to(table)
    if read_to is None:
        return Window(None, end)
    if own := _own_window(run, table):
        return own
    overlap = timedelta(hours=table.overlap_hours)
    if read_to < end:
        return Window(read_to - overlap, end)
    begin = run.window_start if run.window_start and run.window_start < end else end - timedelta(days=1)
    return Window(begin - overlap, end)


def after(run: Run, table: Table, read: Window) -> str | None:
    """The watermark once `read` is committed, for its commit record. Exact runs and older windows don't move it.

    Returns:
        ISO 8601, UTC; None when nothing has been read but exact windows.
    """
    before = _read_to(table)
    if run.exact:
        return before.isoformat() if before else None
    return max(before or read.end, read.end).isoformat()


def save(run: Run, table: Table, read: Window) -> None:
    """Shows the watermark to people, after the commit. Exact runs don't move it, and show nothing."""
    read_to, shown = committed(table), objects.read_json(_key(table))
    if not run.exact and read_to and (shown is None or utc(shown["end"]) != read_to):
        moved_by = {"start": read.record()["start"], "dag_id": run.dag_id, "run_id": run.run_id}
        objects.write_json(_key(table), {**moved_by, "end": read_to.isoformat()})


def _read_to(table: Table) -> datetime | None:
    """How far the source has been read; None to read it from the beginning."""
    return committed(table) if objects.read_json(_key(table)) is not None else None


def committed(table: Table, version: int | None = None) -> datetime | None:
    """How far the source had been read by a version of the table, as its newest effective commit then says.

    None if only exact windows were read. Without a version it is about the newest. Records of format 1 don't say it:
    there the object does.
    """
    newest = next(_reads(table, version), None)
    if newest is None or newest.record is None or newest.record.window is None:
        return None
    if newest.record.format > 1:
        return utc(newest.record.read_to) if newest.record.read_to else None
    saved = objects.read_json(_key(table))
    return min(utc(saved["end"]), utc(str(newest.record.window["end"]))) if saved else None


def _own_window(run: Run, table: Table) -> Window | None:
    """The window that this run has committed, if it has."""
    for commit in islice(_reads(table), COMMITS_SEARCHED):
        record = commit.record
        if record and record.window and record.is_of(run) and run.window_end:
            start, end = record.window["start"], utc(str(record.window["end"]))
            # A run whose interval was not over yet has read up to the moment of its read.
            if end == run.window_end or commit.time < run.window_end:
                return Window(utc(start) if start else None, end)
    return None


def _reads(table: Table, version: int | None = None) -> Iterator[Commit]:
    """The effective commits that read the source, newest first, from a version on back."""
    # Bounded: without a read in it, all is read again.
    commits = log.effective(settings.lake().uri(table.name), version)
    return (commit for commit in commits if commit.record and commit.record.window)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)  # Salesforce's queries know whole seconds
