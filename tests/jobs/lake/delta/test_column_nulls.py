"""Nulls of bronze columns, counted from the statistics in the log."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
from deltalake import write_deltalake

from jobs.lake import settings
from jobs.lake.delta import column_nulls
from jobs.lake.delta.column_nulls import Nulls
from tests.jobs.lakehouse import ORDERS


def add(batch: str, schema_mode: str | None = None, **columns: list[str | None]) -> None:
    """Appends rows of a batch as one file."""
    rows = len(next(iter(columns.values())))
    write_deltalake(
        settings.lake().uri(ORDERS),
        pa.table(
            {"_batch_id": [batch] * rows, **{name: pa.array(values, pa.string()) for name, values in columns.items()}}
        ),
        mode="append",
        schema_mode=schema_mode,
        partition_by=["_batch_id"],
        storage_options=settings.storage_options(),
    )


def newest(without: str = "") -> dict[str, list[Nulls]]:
    return column_nulls.newest(settings.lake().uri(ORDERS), without)


def test_table_that_does_not_exist_has_no_columns(lake: str) -> None:
    assert newest() == {}


def test_nulls_are_counted_by_batch_newest_first(lake: str) -> None:
    add("b1", id=["a", "b", "c"], email=["x", None, None])
    add("b2", id=["d"], email=[None])
    add("b2", id=["e"], email=["y"])

    assert newest() == {"id": [Nulls(2, 0), Nulls(3, 0)], "email": [Nulls(2, 1), Nulls(3, 2)]}


def test_old_batch_whose_files_were_joined_later_is_still_old(lake: str) -> None:
    read_at = [f"2026-10-{day:02d} 00:00:00" for day in (1, 2)]
    for batch, moment in (("b2", read_at[1]), ("b1", read_at[0])):  # compaction has written b1 last
        rows = {"_batch_id": [batch], "id": ["a"], "_ingested_at": [datetime.fromisoformat(moment).replace(tzinfo=UTC)]}
        write_deltalake(
            settings.lake().uri(ORDERS),
            pa.table({**rows, "email": pa.array([None if batch == "b1" else "x"], pa.string())}),
            mode="append",
            partition_by=["_batch_id"],
            storage_options=settings.storage_options(),
        )

    assert newest()["email"] == [Nulls(1, 0), Nulls(1, 1)]


def test_batch_that_is_about_to_be_replaced_does_not_count(lake: str) -> None:
    add("b1", id=["a"])
    add("b2", id=[None])

    assert newest(without="b2") == {"id": [Nulls(1, 0)]}


def test_rows_from_before_a_column_was_added_do_not_count_as_nulls(lake: str) -> None:
    add("b1", id=["a", "b"])
    add("b2", id=["c"], email=["x"], schema_mode="merge")

    assert newest()["email"] == [Nulls(1, 0)]


def test_only_the_newest_batches_count(lake: str) -> None:
    for number in range(column_nulls.NEWEST_BATCHES + 1):
        add(f"b{number}", id=[None] if number == 0 else ["a"])

    assert newest() == {"id": [Nulls(1, 0)] * column_nulls.NEWEST_BATCHES}
