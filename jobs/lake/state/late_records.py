"""Ledger records that are not where the time of their commit says: folded ones, and those that were written late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from jobs.lake import settings
from jobs.lake.delta.commit import Commit
from jobs.lake.run import utc
from jobs.lake.state import day_folders, history, objects

KIND, FOLDER = "ops.run_ledger", "ops/run_ledger/"
_MARK = "late-"  # begins the object's name


def key(table: str, commit: Commit) -> str:
    """Object key of a record that is written late, in the folder of today."""
    return (
        f"{_prefix(table, day_folders.of(datetime.now(UTC)))}{commit.version:020d}-{commit.time:%Y%m%dT%H%M%S.%f}.json"
    )


class LateRecords:
    """These records of one table. They are read once, when the first is asked for, as that is seldom needed."""

    def __init__(self, table: str) -> None:
        self._table = table

    def find(self, commit: Commit) -> dict[str, Any] | None:
        """The commit's record; None when it has none."""
        return self._known.get((commit.version, commit.time)) if history.is_late(commit.time) else None

    @cached_property
    def _known(self) -> dict[tuple[int, datetime], dict[str, Any]]:
        # Objects first: a record is deleted there after it came into the table.
        found = [*_written_late(self._table), *map(json.loads, history.lines(KIND, self._table))]
        return {(int(entry["output_version"]), utc(entry["committed_at"])): entry for entry in found}


def _written_late(table: str) -> Iterator[dict[str, Any]]:
    """Those that are not folded yet. Costs a request for each day that has records."""
    first = history.first_open(settings.lake().uri(history.name(KIND))) or ""
    for day in day_folders.listed(FOLDER):
        for place in objects.keys(_prefix(table, f"{day_folders.COLUMN}={day}")) if day >= first else ():
            if found := objects.read_json(place):
                yield found


def _prefix(table: str, folder: str) -> str:
    return f"{FOLDER}{folder}/{table}/{_MARK}"
