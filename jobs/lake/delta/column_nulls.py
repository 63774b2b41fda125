"""How many nulls the columns of a bronze table have, from the statistics in its log: no data is read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from jobs.lake.delta import log

# Two weeks of daily runs: what a column is like now, whatever it was like years ago.
NEWEST_BATCHES = 14
_COUNT = "null_count."


@dataclass(frozen=True)
class Nulls:
    """What one batch has in one column, as far as its files have statistics on it."""

    rows: int
    nulls: int


def newest(uri: str, but: str) -> dict[str, list[Nulls]]:
    """For each column what the table's newest batches with rows have in it, newest first; {} without any.

    Args:
        uri: a table that is partitioned by `_batch_id`.
        but: a batch that is left out, as it is about to be replaced.
    """
    found = log.open_table(uri)
    if found is None:
        return {}
    batches: dict[str, list[dict[str, Any]]] = defaultdict(list)
    files = pa.table(found.get_add_actions(flatten=True)).to_pylist()
    for file in sorted(files, key=lambda file: file["modification_time"], reverse=True):
        if file["num_records"] and file["partition._batch_id"] != but:
            batches[file["partition._batch_id"]].append(file)
    columns: dict[str, list[Nulls]] = defaultdict(list)
    for batch in islice(batches.values(), NEWEST_BATCHES):
        for name in (name for name in batch[0] if name.startswith(_COUNT)):
            # Files from before the column was added know nothing of it.
            known = [file for file in batch if file[name] is not None]
            if known:
                rows, nulls = (sum(file[key] for file in known) for key in ("num_records", name))
                columns[name.removeprefix(_COUNT)].append(Nulls(rows, nulls))
    return dict(columns)
