"""Dates and times that Delta holds and Python does not: every reader of a table's statistics gets past them."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from deltalake import write_deltalake

from jobs.lake import settings
from jobs.lake.delta import column_nulls, log, row_counts
from jobs.lake.delta.column_nulls import Nulls
from tests.jobs.lakehouse import ORDERS

REPOSITORY = Path(__file__).resolve().parents[4]
DAY = 86_400_000_000  # microseconds
# Days since 1970 of years that Python has no date for, and of the last ones that it has. Snowflake's end at 99999.
DAYS = {
    "year 99999": 35_804_721,
    "year 20226": 6_668_000,
    "year 10000": 2_932_897,
    "year 9999": 2_932_896,
    "year 1": -719_162,
    "year 0": -719_163,
    "before year 0": -720_000,
}
DATES = pa.array(DAYS.values(), pa.int32()).cast(pa.date32())
TIMES = pa.array([days * DAY + 1 for days in DAYS.values()], pa.int64()).cast(pa.timestamp("us", "UTC"))


@pytest.mark.parametrize("far", [DATES, TIMES], ids=["dates", "times"])
def test_far_times_keep_no_reader_from_a_table(lake: str, far: pa.Array) -> None:
    """Each is a batch of its own, so that it is its file's smallest and largest value."""
    uri, batches = settings.lake().uri(ORDERS), list(DAYS)
    content = pa.table({"_batch_id": batches, "id": batches, "moment": far})
    write_deltalake(uri, content, partition_by=["_batch_id"], storage_options=settings.storage_options())

    assert column_nulls.newest(uri, "")["moment"] == [Nulls(1, 0)] * len(far)
    assert row_counts.at(uri, 0) == row_counts.added(uri, -1, 0) == len(far)
    assert {row_counts.at(uri, 0, [batch]) for batch in batches} == {1}
    rows = log.dataset(uri)
    assert rows is not None
    for batch, moment in zip(batches, far, strict=True):
        assert rows.to_table(filter=ds.field("_batch_id") == batch)["moment"][0] == moment


def test_rows_are_read_by_the_one_function_that_gets_past_far_dates() -> None:
    reads = re.compile(r"to_pyarrow_(dataset|table)\(|get_add_actions\(flatten")
    found = {
        str(path.relative_to(REPOSITORY))
        for folder in ("jobs", "dq", "infra")
        for path in (REPOSITORY / folder).rglob("*.py")
        if reads.search(path.read_text())
    }

    # The others read no statistics of dates, or leave them in Arrow.
    assert found == {
        "jobs/lake/delta/log.py",
        "jobs/lake/delta/column_nulls.py",
        "jobs/lake/state/history.py",
        "jobs/maintenance/layout.py",
        "jobs/maintenance/restore_effect.py",
    }
