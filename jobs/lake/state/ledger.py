"""The run ledger: one JSON record per commit, by day, under `ops/run_ledger/`. It says what became of what went in.

A record is made from the commit alone, which carries the counts, so the two can't disagree. If a step was killed
between commit and record, the next step on that table writes the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from deltalake.exceptions import DeltaError

from jobs.lake import settings
from jobs.lake.delta import log, summed
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.state import objects, recorded
from jobs.lake.state.recorded import key as key


def record(table: str) -> None:
    """Writes a record for each commit that has none, oldest first. Called while the table's lease is held."""
    found = recorded.unrecorded(table)
    for run in found.runs:
        for commit in reversed(run):
            window = (commit.record and commit.record.window) or {"start": None, "end": None}
            entry = {
                "table_rows": _rows(table, commit),
                "window_start": window["start"],
                "window_end": window["end"],
            }
            _write(table, [commit], entry)
    recorded.keep(table, found)


def record_stream(table: str, **figures: Any) -> None:
    """Writes one record for all of a stream's commits since its last record: they come every few seconds.

    Commits of another run, step or release get a record of their own. Called while the table's lease is held: two who
    record at once would count commits twice.

    Args:
        table: the table that the stream writes.
        figures: of the stream at this moment; they go to the newest commits' record.
    """
    found = recorded.unrecorded(table)
    parts = [list(part) for run in found.runs for _, part in groupby(reversed(run), key=_made_by)]
    for part in parts:
        now = figures if part is parts[-1] else {}
        _write(table, part[::-1], {"commits": len(part), "first_version": part[0].version, **now})
    recorded.keep(table, found)


def _made_by(commit: Commit) -> tuple[str, ...]:
    made = commit.record or CommitRecord()
    return made.dag_id, made.run_id, made.step, made.code


def _rows(table: str, commit: Commit) -> int | None:
    """Rows of the table at that version; None if the log was cleaned so far that no one can tell."""
    try:
        return log.row_count(settings.lake().uri(table), commit.version)
    except DeltaError as error:
        print(f"{table}: rows of version {commit.version} are not known any more: {type(error).__name__}", flush=True)
        return None


def _write(table: str, commits: Sequence[Commit], entry: dict[str, Any]) -> None:
    """Writes one record for these commits, newest first."""
    newest = commits[0]
    fields = summed.fields([commit.record or CommitRecord() for commit in commits])
    of_each = [asdict(commit.counts or Counts(0)) for commit in commits]
    counts = Counts(**{name: sum(each[name] for each in of_each) for name in of_each[0]})
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
    objects.write_json(recorded.place(table, newest), whole)
    batches = f"{len(commits)} batches, " if "commits" in entry else ""
    print(f"{table} version {newest.version}: {batches}{counts}", flush=True)
