"""One JSON record per commit under `ops/run_ledger/`: what went in, what came of it.

A record is made from the commit alone, which carries the counts, so the two can't disagree; a step that was
killed between commit and record gets it from the next step on that table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.errors import LakeError
from jobs.lake.state import objects

# Where a row that was read can end.
PARTS = ("written", "unchanged", "superseded", "quarantined", "dead_lettered")


@dataclass(frozen=True)
class Counts:
    """Rows of one step; each row read is in exactly one of the five that follow.

    Attributes:
        read: rows that entered.
        written: rows that changed the table.
        unchanged: rows that the table holds already.
        superseded: rows older than what the table or the same batch holds.
        quarantined: rows split off by a rule.
        dead_lettered: messages that could not be read.
        deleted: rows of the table that the step removed; they are no input rows.
    """

    read: int
    written: int = 0
    unchanged: int = 0
    superseded: int = 0
    quarantined: int = 0
    dead_lettered: int = 0
    deleted: int = 0

    def __post_init__(self) -> None:
        out = sum(getattr(self, part) for part in PARTS)
        if out != self.read:
            raise LakeError(f"rows lost or doubled: {self.read} read but {out} accounted for in {asdict(self)}")

    def __str__(self) -> str:
        shown = {name: value for name, value in asdict(self).items() if value or name in ("read", "written")}
        return ", ".join(f"{name.replace('_', '-')} {value:,}" for name, value in shown.items())


def key(table: str, version: int) -> str:
    """Object key of the record of one commit."""
    return f"ops/run_ledger/{table}/{version:020d}.json"


def record(table: str) -> None:
    """Writes the records of the table's newest commits, back to the first that is there already."""
    for commit in log.commits(settings.lake().uri(table)):
        if "counts" not in commit.metadata:
            continue  # creation of the table, housekeeping
        if objects.read_json(key(table, commit.version)) is not None:
            return
        objects.write_json(key(table, commit.version), _entry(table, commit))
        print(f"{table} version {commit.version}: {Counts(**commit.metadata['counts'])}", flush=True)


def record_stream(table: str, **facts: Any) -> None:
    """Writes one record for all of a stream's commits since its last record: they come every few seconds.

    Args:
        table: that the stream writes.
        facts: of the stream at this moment.
    """
    fresh: list[log.Commit] = []
    for commit in log.commits(settings.lake().uri(table)):
        if "counts" not in commit.metadata:
            continue
        if objects.read_json(key(table, commit.version)) is not None:
            break
        fresh.append(commit)
    if not fresh:
        return
    newest = fresh[0]
    counts = {name: sum(commit.metadata["counts"][name] for commit in fresh) for name in newest.metadata["counts"]}
    seconds = [commit.metadata["batch_seconds"] for commit in fresh if "batch_seconds" in commit.metadata]
    entry = {
        "table_name": table,
        "output_version": newest.version,
        "committed_at": newest.time,
        **{name: value for name, value in newest.metadata.items() if name != "counts"},
        **counts,
        "commits": len(fresh),
        "batch_seconds": max(seconds, default=None),
        "bytes_written": sum(commit.bytes_written for commit in fresh),
        **facts,
    }
    objects.write_json(key(table, newest.version), entry)
    print(f"{table} version {newest.version}: {len(fresh)} batches, {Counts(**counts)}", flush=True)


def _entry(table: str, commit: log.Commit) -> dict[str, Any]:
    facts = dict(commit.metadata)
    window = facts.pop("window", None) or {"start": None, "end": None}
    return {
        "table_name": table,
        "output_version": commit.version,
        "committed_at": commit.time,
        "table_rows": log.row_count(settings.lake().uri(table), commit.version),
        **facts.pop("counts"),
        "source_rows": facts.get("facts", {}).get("source_rows"),
        "window_start": window["start"],
        "window_end": window["end"],
        **facts,
        "bytes_written": commit.bytes_written,
    }
