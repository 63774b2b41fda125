"""Versions and commits of Delta tables, read from the log alone: no Spark job, no JVM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from jobs.lake import settings


@dataclass(frozen=True)
class Commit:
    """One version of a table.

    Attributes:
        version: its number.
        operation: as Delta names it: `MERGE`, `WRITE`, `OPTIMIZE`, ...
        time: when it was committed, UTC.
        metadata: the user metadata that this project's writers put there; {} for others.
        bytes_written: size of the data files that it added.
    """

    version: int
    operation: str
    time: datetime
    metadata: dict[str, Any]
    bytes_written: int

    @property
    def inputs(self) -> dict[str, int]:
        """Version of each input table that the commit was made of."""
        return dict(self.metadata.get("inputs", {}))


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


def commits(uri: str) -> Iterator[Commit]:
    """The commits that the log still has, newest first. Reads a few, then more if asked for more."""
    found = open_table(uri)
    if found is None:
        return
    seen = 0
    for limit in (10, 100, None):
        entries = found.history(limit)
        for number, entry in enumerate(entries[seen:], start=seen):
            text = entry.get("userMetadata") or ""
            metrics = entry.get("operationMetrics") or {}
            yield Commit(
                version=int(entry.get("version", found.version() - number)),
                operation=str(entry["operation"]),
                time=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
                metadata=json.loads(text) if text.startswith("{") else {},
                bytes_written=int(metrics.get("numOutputBytes") or metrics.get("numTargetBytesAdded") or 0),
            )
        seen = len(entries)
        if limit is None or seen < limit:
            return


def last_inputs(uri: str, step: str) -> dict[str, int] | None:
    """Input versions of the newest commit that `step` made; None when it made none that the log still has."""
    return next((c.inputs for c in commits(uri) if c.metadata.get("step") == step), None)
