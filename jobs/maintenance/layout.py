"""How the rows of a table lie in its files, as its log says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from jobs.lake.delta import log
from jobs.maintenance.housed_tables import HousedTable

# The cost of a look-up is averaged over a few values of a few files.
ASKED_FILES, ASKED_VALUES = 4, 4


@dataclass(frozen=True)
class Layout:
    """The files of one version of a table.

    Attributes:
        version: of the table.
        files: one row for each: `path`, `bytes`, `partition` (text; null without one), and of the column by which
            queries ask, the `smallest` and `largest` value (null if there is no such column, or it is not known).
    """

    version: int
    files: pa.Table

    @property
    def number(self) -> int:
        return int(self.files.num_rows)

    @property
    def bytes(self) -> int:
        return int(pc.sum(self.files["bytes"]).as_py() or 0)

    def scanned(self, values: pa.Array) -> tuple[float, float]:
        """Files and bytes that a query for one value has to read, on average over these values; without any, all."""
        if not len(values):
            return float(self.number), float(self.bytes)
        files, size = 0, 0
        for value in values:
            outside = pc.or_(
                pc.fill_null(pc.greater(self.files["smallest"], value), False),
                pc.fill_null(pc.less(self.files["largest"], value), False),
            )
            read = self.files.filter(pc.invert(outside))
            files += read.num_rows
            size += pc.sum(read["bytes"]).as_py() or 0
        return round(files / len(values), 2), round(size / len(values), 2)


def read(table: HousedTable, version: int | None = None) -> Layout | None:
    """The files of a version, or of the newest; None if there is no table, or the version can't be read any more."""
    try:
        found = log.open_table(table.uri, version)
    except DeltaError:
        return None
    return None if found is None else of(found, table)


def of(found: DeltaTable, table: HousedTable) -> Layout:
    """The files of a table that was opened."""
    actions = pa.table(found.get_add_actions(flatten=True))

    def column(name: str, kind: pa.DataType | None = None) -> pa.ChunkedArray:
        if name not in actions.column_names:
            return pa.chunked_array([pa.nulls(actions.num_rows, kind or pa.string())])
        return actions[name].cast(kind) if kind else actions[name]

    columns = {
        "path": column("path", pa.string()),
        "bytes": column("size_bytes", pa.int64()),
        "partition": column(f"partition.{table.partition_by}", pa.string()),
        "smallest": column(f"min.{table.looked_up}"),
        "largest": column(f"max.{table.looked_up}"),
    }
    return Layout(found.version(), pa.table(columns))


def sample(table: HousedTable) -> pa.Array:
    """Some values of the column by which queries ask, spread over the table. They stay in this process.

    It reads one column of a few files: the files' smallest values alone would all be small ones.
    """
    rows, column = log.dataset(table.uri), table.looked_up
    if rows is None or column is None:
        return pa.array([], pa.string())
    found = []
    for fragment in _spread(sorted(rows.get_fragments(), key=lambda one: str(one.path)), ASKED_FILES):
        known = pc.unique(fragment.to_table(columns=[column])[column].combine_chunks().drop_null())
        found += [known.take(pa.array([index])) for index in _spread(pc.sort_indices(known).to_pylist(), ASKED_VALUES)]
    return pa.concat_arrays(found) if found else pa.array([], rows.schema.field(column).type)


def _spread(items: list[Any], number: int) -> list[Any]:
    """Up to so many of the items, evenly spread."""
    number = min(number, len(items))
    return [items[(2 * index + 1) * len(items) // (2 * number)] for index in range(number)]
