"""Source batches on their way into Spark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake import staging, tables
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
    }


def source(batches: list[pa.Table]) -> staging.Batches:
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
