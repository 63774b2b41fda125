"""Which partitions OPTIMIZE rewrites: those that changed and have files to sort or to join, and no others."""

from __future__ import annotations

import pyarrow as pa
import pytest

from jobs.maintenance import optimize
from jobs.maintenance.housed_tables import HousedTable
from jobs.maintenance.layout import Layout
from jobs.maintenance.optimize import SMALL_BYTES

SORTED = HousedTable("silver.x", zorder_by=("id",), partition_by="month")
JOINED = HousedTable("bronze.x", partition_by="_batch_id")
Files = dict[str, tuple[str | None, int]]
TWO_MONTHS: Files = {"a1": ("a", 1), "a2": ("a", 1), "b1": ("b", 1), "b2": ("b", 1)}
LARGE = SMALL_BYTES


def layout(files: Files) -> Layout:
    columns = {
        "path": pa.chunked_array([pa.array(list(files), pa.string())]),
        "partition": pa.chunked_array([pa.array([partition for partition, _ in files.values()], pa.string())]),
        "bytes": pa.chunked_array([pa.array([size for _, size in files.values()], pa.int64())]),
    }
    return Layout(1, pa.table(columns))


@pytest.mark.parametrize(
    ("table", "now", "last", "partitions", "files"),
    [
        (SORTED, TWO_MONTHS, None, ("a", "b"), 4),
        (SORTED, TWO_MONTHS, TWO_MONTHS, (), 0),
        (SORTED, TWO_MONTHS, {"a1": ("a", 1), "b1": ("b", 1), "b2": ("b", 1)}, ("a",), 2),
        # A MERGE replaced the only file of b: one file can't be sorted better.
        (SORTED, {"a1": ("a", 1), "a2": ("a", 1), "b3": ("b", 1)}, TWO_MONTHS, (), 0),
        # All files of a changed partition are sorted, also large ones.
        (SORTED, {"a1": ("a", LARGE), "a2": ("a", 1)}, {"a1": ("a", LARGE)}, ("a",), 2),
        (JOINED, {"a1": ("a", 1), "a2": ("a", 1), "b1": ("b", 1)}, None, ("a",), 2),
        # Compaction leaves files of a useful size alone.
        (JOINED, {"a1": ("a", LARGE), "a2": ("a", 1)}, None, (), 0),
        (JOINED, {"a1": ("a", LARGE), "a2": ("a", 1), "a3": ("a", 1)}, None, ("a",), 2),
        (HousedTable("quarantine.x"), {"1": (None, 1), "2": (None, 1)}, {"1": (None, 1)}, (None,), 2),
        (HousedTable("quarantine.x"), {}, None, (), 0),
    ],
)
def test_plan(
    table: HousedTable, now: Files, last: Files | None, partitions: tuple[str | None, ...], files: int
) -> None:
    found = optimize.plan(table, layout(now), None if last is None else layout(last))

    assert (found.partitions, found.files) == (partitions, files)


def test_condition_names_the_partitions_whatever_is_in_them() -> None:
    assert (
        optimize._condition("month", ("2026-10", "it's", None)) == "`month` IN ('2026-10', 'it\\'s') OR `month` IS NULL"
    )
    assert optimize._condition("month", (None,)) == "`month` IS NULL"
