"""Which commits of a table have no record in the ledger yet.

All commits up to the table's mark have one. Behind the mark each commit is looked at, so that a gap is found even if
later commits have records: a kill, a restored ledger or a person can leave one. The mark only saves requests. Without
it, the newest `log.SEARCHED` commits are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.log import Commit
from jobs.lake.run import utc
from jobs.lake.state import day_folders, history, late_records, objects
from jobs.lake.state.late_records import FOLDER as FOLDER  # others find it here
from jobs.lake.state.late_records import LateRecords


def key(table: str, commit: Commit) -> str:
    """Object key of a commit's record, by its own time. A table that was created again has equal versions."""
    return key_of(table, commit.version, commit.time)


def key_of(table: str, version: int, time: datetime) -> str:
    """Object key of the record of the commit that made a version at that time."""
    return f"{FOLDER}{day_folders.of(time)}/{table}/{version:020d}-{time:%H%M%S}{time.microsecond // 1000:03d}.json"


def place(table: str, commit: Commit) -> str:
    """Object key to write the commit's record to. Its own day may be folded by now: then it is today's folder."""
    return late_records.key(table, commit) if history.is_late(commit.time) else key(table, commit)


def find(table: str, commit: Commit, late: LateRecords | None = None) -> dict[str, Any] | None:
    """The commit's record; None when it has none. A record of release 0.1.0 may still be outside of the day folders.

    Args:
        table: its name.
        commit: of the table.
        late: records of the table that are elsewhere, for who looks at more than one commit.
    """
    # In this order, because a record that is being moved is first copied, then deleted.
    for named in (f"{FOLDER}{table}/{commit.version:020d}.json", key(table, commit)):
        found: dict[str, Any] | None = objects.read_json(named)
        if found is not None and utc(found["committed_at"]) == commit.time:
            return found
    return (late or LateRecords(table)).find(commit)


@dataclass(frozen=True)
class Unrecorded:
    """What the ledger lacks.

    Attributes:
        runs: commits that follow each other, newest first; the oldest such run of commits first.
        mark: what `keep` is to store once they have records; None if it is stored already.
    """

    runs: Sequence[Sequence[Commit]]
    mark: dict[str, Any] | None


def unrecorded(table: str) -> Unrecorded:
    """Commits that have no record and should. Cost grows with the commits since the mark."""
    known = objects.read_json(_mark_key(table))
    mark, runs = known, list[list[Commit]]()
    newest: Commit | None = None
    late = LateRecords(table)
    covered, is_open = 0, False
    for looked, commit in enumerate(log.commits(settings.lake().uri(table))):
        newest = newest or commit
        if mark and mark["version"] == commit.version and utc(mark["committed_at"]) == commit.time:
            break
        if mark and commit.version <= mark["version"]:
            mark = None  # of another table of this name, which was dropped
        if mark is None and looked >= log.SEARCHED:
            break
        if not commit.is_accounted:
            continue  # creation of the table, compaction
        if covered == 0 and (found := find(table, commit, late)):
            covered = found.get("commits") or 1
        if covered:
            covered, is_open = covered - 1, False
            continue
        if not is_open:
            runs.insert(0, [])
            is_open = True
        runs[0].append(commit)
    reached = None if newest is None else {"version": newest.version, "committed_at": newest.time.isoformat()}
    return Unrecorded(runs, None if reached == known else reached)


def keep(table: str, found: Unrecorded) -> None:
    """Moves the mark, once each commit that was found has its record."""
    if found.mark:
        objects.write_json(_mark_key(table), found.mark)


def _mark_key(table: str) -> str:
    return f"ops/recorded/{table}.json"
