"""Carries a source's rows into Spark in bounded memory: Arrow tables become Parquet parts in the lake's bucket.

The driver never holds more than one part, and executors read the parts from S3. A source that can go on where it
stopped yields a `Checkpoint`; the next attempt at the same batch gets it back as `Progress`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake.errors import DataError
from jobs.lake.extract import Checkpoint, Progress, SourceRows
from jobs.lake.registry import Table
from jobs.lake.state import objects

# Spark ignores files whose names begin with `_`.
_PROGRESS = "_progress.json"


def prefix(table: Table, batch_id: str) -> str:
    """Key prefix of a batch's parts."""
    return f"_staging/{table.name.replace('.', '/')}/{batch_id}/"


@dataclass(frozen=True)
class Staged:
    """What the parts hold.

    Attributes:
        rows: number of rows in all parts.
        nulls: number of nulls in each column.
        facts: what the source said about its rows, for the commit.
    """

    rows: int
    nulls: dict[str, int]
    facts: dict[str, Any]


def write(table: Table, batch_id: str, rows: SourceRows) -> Staged:
    """Writes the parts. They replace those of an earlier attempt, unless the source goes on after them.

    Raises:
        DataError: the source refused what it read. The parts are deleted, so that no later attempt goes on with them.
    """
    folder = prefix(table, batch_id)
    held: Progress | None = None
    while True:
        try:
            item = next(rows)
        except StopIteration as end:
            held = held or _begin(folder, None)
            return Staged(held.rows, held.nulls, end.value or {})
        except DataError:
            _delete(folder)
            raise
        if held is None:
            held = _begin(folder, item if isinstance(item, Progress) else None)
        if isinstance(item, pa.Table):
            held = _add(folder, held, item)
        elif isinstance(item, Checkpoint):
            held = replace(held, resume_from=item.resume_from)
            objects.write_json(folder + _PROGRESS, vars(held))


def progress(table: Table, batch_id: str) -> Progress | None:
    """How far an interrupted read of this batch got; None when there is nothing to go on from."""
    folder = prefix(table, batch_id)
    found = objects.read_json(folder + _PROGRESS)
    if found is None:
        return None
    if set(found) != {field.name for field in fields(Progress)}:
        return None  # written by another release: the read begins again
    held = Progress(**found)
    # A bucket may expire objects one by one: unless all parts exist, the read begins again.
    existing = set(objects.keys(folder))
    return held if all(_part(folder, number) in existing for number in range(held.parts)) else None


def read(table: Table, batch_id: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The parts written so far, one by one, in order."""
    for key in objects.keys(prefix(table, batch_id)):
        if key.endswith(".parquet"):
            yield pq.read_table(pa.BufferReader(objects.read(key)), columns=list(columns))


def clear(table: Table, batch_id: str) -> None:
    """Removes the parts."""
    _delete(prefix(table, batch_id))


def _begin(folder: str, known: Progress | None) -> Progress:
    """Keeps exactly the parts after which the source goes on."""
    if known is None:
        _delete(folder)
        return Progress({}, 0, 0, {})
    kept = {_part(folder, number) for number in range(known.parts)} | {folder + _PROGRESS}
    for key in objects.keys(folder):
        if key not in kept:
            objects.delete_prefix(key)
    return known


def _add(folder: str, held: Progress, batch: pa.Table) -> Progress:
    sink = pa.BufferOutputStream()
    # Nanoseconds would arrive in Spark as bigint; the module of a source that sends them casts them.
    pq.write_table(batch, sink, coerce_timestamps="us")
    objects.write(_part(folder, held.parts), sink.getvalue().to_pybytes())
    nulls = dict(held.nulls)
    for name in batch.column_names:
        nulls[name] = nulls.get(name, 0) + batch.column(name).null_count
    return replace(held, parts=held.parts + 1, rows=held.rows + batch.num_rows, nulls=nulls)


def _part(folder: str, number: int) -> str:
    return f"{folder}part-{number:05d}.parquet"


def _delete(folder: str) -> None:
    # The progress goes first. A kill in between may leave parts that nobody counts, but no count without its parts.
    objects.delete_prefix(folder + _PROGRESS)
    objects.delete_prefix(folder)
