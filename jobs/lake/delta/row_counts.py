"""How many rows a table has, or was given, by Delta's own actions. None always means: not known, and never zero."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow.dataset as ds
from deltalake.exceptions import DeltaError

from jobs.lake.delta import log


def at(uri: str, version: int, batches: Sequence[str] | None = None) -> int | None:
    """Rows of a version, or those of some batches in it.

    Without batches it reads the log's statistics alone; with them, one column of the files that can hold them.

    Returns:
        None if the version can't be read any more.
    """
    try:
        if batches is None:
            found = log.open_table(uri, version)
            return None if found is None else int(found.count())
        rows = log.dataset(uri, version)
        if rows is None:
            return None
        return int(rows.count_rows(filter=ds.field("_batch_id").isin(list(batches)))) if batches else 0
    except (DeltaError, FileNotFoundError):  # the log was cleaned, or VACUUM removed files
        return None


def added(uri: str, since: int, until: int) -> int | None:
    """Rows that the commits after `since` and up to `until` added. One request for each commit.

    Returns:
        None if a commit is gone from the log, doesn't say its rows, or removed rows too: then the sum tells nothing.
    """
    rows = 0
    for version in range(since + 1, until + 1):
        actions = log.actions(uri, version)
        if actions is None:
            return None
        for action in actions:
            changes = action.get("add") or action.get("remove")
            if changes is None or not changes.get("dataChange", True):
                continue
            statistics = json.loads((action.get("add") or {}).get("stats") or "{}")
            if "numRecords" not in statistics:
                return None
            rows += int(statistics["numRecords"])
    return rows
