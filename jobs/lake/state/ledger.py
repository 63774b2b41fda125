"""One JSON record per commit under `ops/run_ledger/`: what went in, and what became of it.

A record is made from the commit alone, which carries the counts, so the two can't disagree. If a step was killed
between commit and record, the next step on that table writes the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.state import objects


def key(table: str, version: int) -> str:
    """Object key of the record of one commit."""
    return f"ops/run_ledger/{table}/{version:020d}.json"


def record(table: str) -> None:
    """Writes the records of the table's newest commits, back to the first commit that already has one."""
    for commit in _unrecorded(table):
        window = (commit.record and commit.record.window) or {"start": None, "end": None}
        entry = {
            "table_rows": log.row_count(settings.lake().uri(table), commit.version),
            "window_start": window["start"],
            "window_end": window["end"],
        }
        _write(table, [commit], entry)


def record_stream(table: str, **figures: Any) -> None:
    """Writes one record for all of a stream's commits since its last record: they come every few seconds.

    Args:
        table: the table that the stream writes.
        figures: of the stream at this moment.
    """
    fresh = _unrecorded(table)
    if not fresh:
        return
    seconds = [c.record.batch_seconds for c in fresh if c.record and c.record.batch_seconds is not None]
    _write(table, fresh, {"commits": len(fresh), "batch_seconds": max(seconds, default=None), **figures})


def _unrecorded(table: str) -> list[Commit]:
    """The newest commits with counts, back to the first that already has a record; newest first."""
    fresh: list[Commit] = []
    for commit in log.commits(settings.lake().uri(table)):
        if commit.counts is None:
            continue  # creation of the table, housekeeping
        if objects.read_json(key(table, commit.version)) is not None:
            break
        fresh.append(commit)
    return fresh


def _write(table: str, commits: Sequence[Commit], entry: dict[str, Any]) -> None:
    """Writes one record for these commits, newest first."""
    newest = commits[0]
    fields = asdict(newest.record or CommitRecord())
    counts = Counts(**{name: sum(getattr(c.counts, name) for c in commits) for name in fields.pop("counts")})
    whole = {
        "table_name": table,
        "output_version": newest.version,
        "committed_at": newest.time,
        "source_rows": fields["facts"].get("source_rows"),
        **fields,
        **asdict(counts),
        "bytes_written": sum(commit.bytes_written for commit in commits),
        **entry,
    }
    objects.write_json(key(table, newest.version), whole)
    batches = f"{len(commits)} batches, " if "commits" in entry else ""
    print(f"{table} version {newest.version}: {batches}{counts}", flush=True)
