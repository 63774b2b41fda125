"""Carries source batches into Spark in bounded memory: Arrow batches become Parquet parts in the lake's bucket.

The driver never holds more than one batch, and executors read the parts from S3.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake import objects
from jobs.lake.tables import Table

# A source's rows; the generator's own value is what the source said about them (counts, sums).
Batches = Generator[pa.Table, None, dict[str, Any] | None]


def prefix(table: Table, batch_id: str) -> str:
    """Key prefix of a batch's parts."""
    return f"_staging/{table.name.replace('.', '/')}/{batch_id}/"


@dataclass(frozen=True)
class Staged:
    """What the parts hold.

    Attributes:
        rows: in all parts.
        nulls: nulls of each column.
        facts: what the source said about what it gave, for the commit.
    """

    rows: int
    nulls: dict[str, int]
    facts: dict[str, Any]


def write(table: Table, batch_id: str, batches: Batches) -> Staged:
    """Writes the parts, replacing those of an earlier attempt."""
    place = prefix(table, batch_id)
    objects.delete_prefix(place)
    rows, number = 0, 0
    nulls: dict[str, int] = {}
    facts: dict[str, Any] = {}
    while True:
        try:
            batch = next(batches)
        except StopIteration as end:
            facts = end.value or facts
            break
        sink = pa.BufferOutputStream()
        # Nanoseconds would arrive in Spark as bigint; sources that send them are cast by their module.
        pq.write_table(batch, sink, coerce_timestamps="us")
        objects.write(f"{place}part-{number:05d}.parquet", sink.getvalue().to_pybytes())
        rows, number = rows + batch.num_rows, number + 1
        for name in batch.column_names:
            nulls[name] = nulls.get(name, 0) + batch.column(name).null_count
    return Staged(rows, nulls, facts)


def clear(table: Table, batch_id: str) -> None:
    """Removes the parts."""
    objects.delete_prefix(prefix(table, batch_id))
