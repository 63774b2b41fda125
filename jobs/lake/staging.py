"""Carries source batches into Spark in bounded memory: Arrow batches become Parquet parts in the lake's bucket.

The driver never holds more than one batch, and executors read the parts from S3.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake import objects
from jobs.lake.tables import Table


def prefix(table: Table, batch_id: str) -> str:
    """Key prefix of a batch's parts."""
    return f"_staging/{table.name.replace('.', '/')}/{batch_id}/"


def write(table: Table, batch_id: str, batches: Iterable[pa.Table]) -> int:
    """Writes the parts, replacing those of an earlier attempt.

    Returns:
        the number of rows.
    """
    place = prefix(table, batch_id)
    objects.delete_prefix(place)
    rows = 0
    for number, batch in enumerate(batches):
        sink = pa.BufferOutputStream()
        # Nanoseconds would arrive in Spark as bigint; sources that send them are cast by their module.
        pq.write_table(batch, sink, coerce_timestamps="us")
        objects.write(f"{place}part-{number:05d}.parquet", sink.getvalue().to_pybytes())
        rows += batch.num_rows
    return rows


def clear(table: Table, batch_id: str) -> None:
    """Removes the parts."""
    objects.delete_prefix(prefix(table, batch_id))
