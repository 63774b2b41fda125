"""One commit of a Delta table, as its log entry describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jobs.lake.delta.commit_record import CommitRecord, Counts

_REMOVED = ("numTargetFilesRemoved", "numRemovedFiles")
# Operations that change no rows, or, as RESTORE, bring back rows that are accounted for.
_KEEPS_ROWS = frozenset(
    {
        "ADD COLUMNS", "ADD CONSTRAINT", "CHANGE COLUMN", "CHANGE COLUMNS", "CLUSTER BY", "COMPUTE STATS",
        "CREATE TABLE", "DROP COLUMNS", "DROP CONSTRAINT", "DROP FEATURE", "OPTIMIZE", "RENAME COLUMN", "REORG",
        "RESTORE", "SET TBLPROPERTIES", "UNSET TBLPROPERTIES", "UPDATE COLUMN METADATA", "UPDATE SCHEMA",
        "UPGRADE PROTOCOL", "VACUUM END", "VACUUM START",
    }
)  # fmt: skip

_REARRANGES = frozenset({"OPTIMIZE", "VACUUM END", "VACUUM START"})


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
        rows_deleted: rows that it deleted, by Delta's own count; None if Delta doesn't say.
        files_removed: data files that it took out of the table; None if Delta doesn't say.
        restored: for a RESTORE, the version or the time that the table went back to.
    """

    version: int
    operation: str
    time: datetime
    record: CommitRecord | None
    bytes_written: int
    rows_written: int | None = None
    rows_deleted: int | None = None
    files_removed: int | None = None
    restored: int | datetime | None = None

    @property
    def counts(self) -> Counts | None:
        """Rows of the step that made it; None for creation, housekeeping and commits of other writers."""
        return self.record.counts if self.record else None

    @property
    def is_accounted(self) -> bool:
        """Whether the ledger has a record of it: it says what became of rows, or sums up a table's housekeeping."""
        return self.counts is not None or bool(self.record and self.record.housekeeping)

    @property
    def rearranges(self) -> bool:
        """Whether no row came, went or changed: rows were at most moved to other files."""
        sums_up = bool(self.record and self.record.housekeeping and self.counts is None)
        return self.operation in _REARRANGES or sums_up

    @property
    def foreign(self) -> bool:
        """Whether another program, or a person by hand, changed rows."""
        return self.record is None and self.operation not in _KEEPS_ROWS

    @property
    def inputs(self) -> Mapping[str, int]:
        """Version of each input table that the step read."""
        return self.record.inputs if self.record else {}

    @classmethod
    def of_entry(cls, version: int, entry: Mapping[str, Any]) -> Commit:
        """The commit that the `commitInfo` of a log entry describes."""
        metrics = entry.get("operationMetrics") or {}
        return cls(
            version=version,
            operation=str(entry["operation"]),
            time=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
            record=CommitRecord.from_json(entry.get("userMetadata")),
            bytes_written=int(metrics.get("numOutputBytes") or metrics.get("numTargetBytesAdded") or 0),
            rows_written=_rows_written(metrics),
            rows_deleted=_number(metrics, "numTargetRowsDeleted", "numDeletedRows"),
            files_removed=0 if entry.get("isBlindAppend") else _number(metrics, *_REMOVED),
            restored=_restored(entry),
        )


def _restored(entry: Mapping[str, Any]) -> int | datetime | None:
    """The version or time that a RESTORE went back to. Its parameters are texts."""
    if entry["operation"] != "RESTORE":
        return None
    to = entry["operationParameters"]
    if to.get("version") is not None:
        return int(to["version"])
    return datetime.fromisoformat(str(to["timestamp"]).replace(" ", "T")).replace(tzinfo=UTC)


def _rows_written(metrics: Mapping[str, Any]) -> int | None:
    if "numTargetRowsInserted" in metrics:  # MERGE
        return int(metrics["numTargetRowsInserted"]) + int(metrics.get("numTargetRowsUpdated", 0))
    return int(metrics["numOutputRows"]) if "numOutputRows" in metrics else None


def _number(metrics: Mapping[str, Any], *names: str) -> int | None:
    """The first of these metrics that the commit has."""
    return next((int(metrics[name]) for name in names if name in metrics), None)
