"""Source batches on their way into Spark."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.lake import staging, tables
from jobs.lake.errors import DataError
from jobs.lake.extract import Checkpoint, Progress, SourceRows
from jobs.lake.state import objects
from tests.jobs.lakehouse import ORDERS

TABLE = tables.table(ORDERS)


def parts(bucket: str) -> dict[str, pa.Table]:
    """Name and content of the staged parts."""
    s3: Any = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="_staging/").get("Contents", [])
    return {
        entry["Key"].rsplit("/", 1)[-1]: pq.read_table(
            pa.BufferReader(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        )
        for entry in listed
        if entry["Key"].endswith(".parquet")
    }


def source(batches: list[pa.Table]) -> SourceRows:
    yield from batches
    return {"source_rows": sum(batch.num_rows for batch in batches)}


def test_each_batch_becomes_a_part(lake: str) -> None:
    batches = [pa.table({"id": ["a", "b"]}), pa.table({"id": ["c"]})]

    assert staging.write(TABLE, "b1", source(batches)).rows == 3
    assert {name: part.num_rows for name, part in parts(lake).items()} == {
        "part-00000.parquet": 2,
        "part-00001.parquet": 1,
    }


def test_parts_of_an_earlier_attempt_are_replaced_and_others_left(lake: str) -> None:
    staging.write(TABLE, "b1", source([pa.table({"id": ["a"]}), pa.table({"id": ["b"]})]))
    staging.write(TABLE, "b1", source([pa.table({"id": ["c"]})]))
    staging.write(TABLE, "b11", source([pa.table({"id": ["d"]})]))

    staging.clear(TABLE, "b1")

    assert [part.to_pydict() for part in parts(lake).values()] == [{"id": ["d"]}]


def test_times_are_carried_in_microseconds(lake: str) -> None:
    moment = datetime(2026, 10, 1, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    staging.write(TABLE, "b1", source([pa.table({"t": pa.array([moment], pa.timestamp("us", "UTC"))})]))

    (part,) = parts(lake).values()

    assert part.schema.field("t").type == pa.timestamp("us", "UTC")
    assert part["t"][0].as_py() == moment.astimezone(UTC)


def killed(batches: list[pa.Table | Checkpoint | Progress]) -> SourceRows:
    """A read that is killed after these."""
    yield from batches
    raise InterruptedError


def ends(batches: list[pa.Table | Checkpoint | Progress]) -> SourceRows:
    yield from batches
    return None


def one(value: str) -> pa.Table:
    return pa.table({"id": [value, None]})


def interrupted(*batches: pa.Table | Checkpoint | Progress) -> Progress:
    """The progress that a read leaves when it is killed after these."""
    with pytest.raises(InterruptedError):
        staging.write(TABLE, "b1", killed(list(batches)))
    found = staging.progress(TABLE, "b1")
    assert found is not None
    return found


def values(bucket: str) -> list[str]:
    return [part["id"][0].as_py() for part in parts(bucket).values()]


def test_read_goes_on_after_its_last_checkpoint_and_counts_the_earlier_parts(lake: str) -> None:
    known = interrupted(one("a"), Checkpoint({"at": 1}), one("b"))

    staged = staging.write(TABLE, "b1", ends([known, one("c")]))

    assert known == Progress(resume_from={"at": 1}, parts=1, rows=2, nulls={"id": 1})
    assert values(lake) == ["a", "c"]
    assert (staged.rows, staged.nulls) == (4, {"id": 2})


def test_parts_beyond_the_checkpoint_are_dropped_when_nothing_more_comes(lake: str) -> None:
    known = interrupted(one("a"), Checkpoint({"at": 1}), one("b"), one("c"))

    assert staging.write(TABLE, "b1", ends([known])).rows == 2
    assert values(lake) == ["a"]


def test_read_that_begins_again_leaves_no_part_of_the_one_before(lake: str) -> None:
    interrupted(one("a"), one("b"), Checkpoint({"at": 2}))

    interrupted(Checkpoint({"at": 0}))

    assert values(lake) == []
    assert staging.progress(TABLE, "b1") == Progress(resume_from={"at": 0}, parts=0, rows=0, nulls={})


def test_source_that_fails_before_its_first_row_keeps_the_earlier_parts(lake: str) -> None:
    known = interrupted(one("a"), Checkpoint({"at": 1}))

    assert interrupted() == known
    assert values(lake) == ["a"]


def test_progress_without_all_of_its_parts_is_none(lake: str) -> None:
    interrupted(one("a"), one("b"), Checkpoint({"at": 2}))

    objects.delete_prefix(staging.prefix(TABLE, "b1") + "part-00000")

    assert staging.progress(TABLE, "b1") is None


@pytest.mark.parametrize(
    "removal",
    [lambda: staging.clear(TABLE, "b1"), lambda: staging.write(TABLE, "b1", ends([one("x")]))],
    ids=["cleared", "begun again"],
)
def test_kill_during_the_removal_never_leaves_progress_without_parts(
    lake: str, monkeypatch: pytest.MonkeyPatch, removal: Callable[[], object]
) -> None:
    interrupted(one("a"), Checkpoint({"at": 1}))
    real, calls = objects.delete_prefix, list[str]()

    def killed_at_the_second(prefix: str) -> None:
        calls.append(prefix)
        if len(calls) == 2:
            raise InterruptedError
        real(prefix)

    with monkeypatch.context() as patch:
        patch.setattr(objects, "delete_prefix", killed_at_the_second)
        with pytest.raises(InterruptedError):
            removal()

    assert [key.rsplit("/", 1)[-1] for key in objects.keys("_staging/")] == ["part-00000.parquet"]


def test_refused_read_is_never_continued(lake: str) -> None:
    def refused() -> SourceRows:
        yield one("a")
        yield Checkpoint({"at": 1})
        raise DataError("fewer than counted")

    with pytest.raises(DataError, match="fewer"):
        staging.write(TABLE, "b1", refused())

    assert parts(lake) == {}


def test_parts_are_read_back_in_order_with_the_columns_asked_for(lake: str) -> None:
    interrupted(*[pa.table({"id": [str(n)], "more": [n]}) for n in range(3)], Checkpoint({}))

    assert [part.to_pydict() for part in staging.read(TABLE, "b1", ["id"])] == [{"id": [n]} for n in "012"]
