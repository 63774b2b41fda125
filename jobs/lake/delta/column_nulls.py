"""How many nulls the columns of a bronze table have. The statistics in its log say it: no data is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pyarrow as pa

from jobs.lake.delta import log

# Two weeks of daily runs: they show what a column is like now, not what it was like years ago.
NEWEST_BATCHES = 14
_COUNT = "null_count."
_READ_AT = "max._ingested_at"
_OF_FILES = ("modification_time", "num_records", "partition._batch_id", _READ_AT)


@dataclass(frozen=True)
class Nulls:
    """Rows and nulls of one batch in one column, as far as its files have statistics on the column."""

    rows: int
    nulls: int


def newest(uri: str, without: str) -> dict[str, list[Nulls]]:
    """For each column, its nulls in the table's newest batches that have rows, newest first; {} if there are none.

    Args:
        uri: a table that is partitioned by `_batch_id`.
        without: a batch to leave out, because it is about to be replaced.
    """
    found = log.open_table(uri)
    if found is None:
        return {}
    batches: dict[str, list[dict[str, Any]]] = defaultdict(list)
    actions = pa.table(found.get_add_actions(flatten=True))
    # Without smallest and largest values: one date of the year 20226 is beyond Python's, and would end the step.
    wanted = [name for name in actions.column_names if name in _OF_FILES or name.startswith(_COUNT)]
    files = actions.select(wanted).to_pylist()
    for file in sorted(files, key=_read_at, reverse=True):
        if file["num_records"] and file["partition._batch_id"] != without:
            batches[file["partition._batch_id"]].append(file)
    columns: dict[str, list[Nulls]] = defaultdict(list)
    for batch in islice(batches.values(), NEWEST_BATCHES):
        for name in (name for name in batch[0] if name.startswith(_COUNT)):
            # Files from before the column was added have no statistics on it.
            known = [file for file in batch if file[name] is not None]
            if known:
                rows, nulls = (sum(file[key] for file in known) for key in ("num_records", name))
                columns[name.removeprefix(_COUNT)].append(Nulls(rows, nulls))
    return dict(columns)


def _read_at(file: Mapping[str, Any]) -> tuple[datetime, int]:
    """When its rows were read, and when it was written. Compaction writes a new file of a batch that may be old.

    In a table of more than 32 columns, files have no statistics on the lineage columns: then only the latter counts.
    """
    return file.get(_READ_AT) or datetime.min.replace(tzinfo=UTC), file["modification_time"]
