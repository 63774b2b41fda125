"""Versions and commits of Delta tables, read from the log alone: no Spark job, no JVM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from jobs.lake import settings
from jobs.lake.delta.commit_record import CommitRecord, Counts


@dataclass(frozen=True)
class Commit:
    """One version of a table.

    Attributes:
        version: its number.
        operation: as Delta names it: `MERGE`, `WRITE`, `OPTIMIZE`, ...
        time: when it was committed, UTC.
        record: what our writer recorded; None for commits of other writers.
        bytes_written: size of the data files that it added.
        rows_written: rows that it inserted or updated, by Delta's own count; None if Delta doesn't say.
        restored: for a RESTORE, the version or the time that the table went back to.
    """

    version: int
    operation: str
    time: datetime
    record: CommitRecord | None
    bytes_written: int
    rows_written: int | None = None
    restored: int | datetime | None = None

    @property
    def counts(self) -> Counts | None:
        """Rows of the step that made it; None for creation, housekeeping and commits of other writers."""
        return self.record.counts if self.record else None

    @property
    def inputs(self) -> Mapping[str, int]:
        """Version of each input table that the step read."""
        return self.record.inputs if self.record else {}


def open_table(uri: str, version: int | None = None) -> DeltaTable | None:
    """The table's log; None when there is no table."""
    try:
        return DeltaTable(uri, version=version, storage_options=settings.storage_options())
    except TableNotFoundError:
        return None


def version(uri: str) -> int | None:
    """The newest version; None when there is no table."""
    found = open_table(uri)
    return None if found is None else int(found.version())


def table_id(uri: str) -> str | None:
    """The table's identity, which changes when it is dropped and created again. None when there is no table."""
    found = open_table(uri)
    return None if found is None else str(found.metadata().id)


def row_count(uri: str, version: int) -> int:
    """Rows of a version, from the statistics in its log."""
    found = open_table(uri, version)
    return 0 if found is None else int(found.count())


def commits(uri: str) -> Iterator[Commit]:
    """The commits that the log still has, newest first. It reads a few, and more only if the caller goes on."""
    found = open_table(uri)
    if found is None:
        return
    seen = 0
    for limit in (10, 100, None):
        entries = found.history(limit)
        for number, entry in enumerate(entries[seen:], start=seen):
            metrics = entry.get("operationMetrics") or {}
            yield Commit(
                version=int(entry.get("version", found.version() - number)),
                operation=str(entry["operation"]),
                time=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
                record=CommitRecord.from_json(entry.get("userMetadata")),
                bytes_written=int(metrics.get("numOutputBytes") or metrics.get("numTargetBytesAdded") or 0),
                rows_written=_rows_written(metrics),
                restored=_restored(entry),
            )
        seen = len(entries)
        if limit is None or seen < limit:
            return


def effective(uri: str) -> Iterator[Commit]:
    """The commits that made the table what it is, newest first. Those that a RESTORE undid are left out."""
    back_to: int | datetime | None = None
    for commit in commits(uri):
        if not _existed_at(commit, back_to):
            continue
        if commit.restored is not None:
            back_to = commit.restored
            continue
        yield commit


def _existed_at(commit: Commit, moment: int | datetime | None) -> bool:
    """Whether the commit existed at that version or time; None means now."""
    if isinstance(moment, datetime):
        return commit.time <= moment
    return moment is None or commit.version <= moment


def _restored(entry: dict[str, Any]) -> int | datetime | None:
    """The version or time that a RESTORE went back to. Its parameters are texts."""
    if entry["operation"] != "RESTORE":
        return None
    to = entry["operationParameters"]
    if to.get("version") is not None:
        return int(to["version"])
    return datetime.fromisoformat(str(to["timestamp"]).replace(" ", "T")).replace(tzinfo=UTC)


def _rows_written(metrics: dict[str, Any]) -> int | None:
    if "numTargetRowsInserted" in metrics:  # MERGE
        return int(metrics["numTargetRowsInserted"]) + int(metrics.get("numTargetRowsUpdated", 0))
    return int(metrics["numOutputRows"]) if "numOutputRows" in metrics else None


def newest_of(uri: str, step: str) -> Commit | None:
    """The newest commit that `step` made and that no RESTORE undid; None when the log has none."""
    return next((commit for commit in effective(uri) if commit.record and commit.record.step == step), None)


def newest_facts(uri: str) -> Mapping[str, Any]:
    """What the source said about itself when it was last read; {} when the log has no such commit.

    Commits of housekeeping and of other writers have no facts, and are skipped.
    """
    return next((commit.record.facts for commit in commits(uri) if commit.record and commit.record.facts), {})
