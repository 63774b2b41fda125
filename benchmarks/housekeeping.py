"""What housekeeping makes of a table of many small commits, next to delta-rs on a copy.

`python -m benchmarks.housekeeping`; with COMMITS=100 before it, it is smaller.

Each commit is a batch of orders with random customers and days of four months. Printed are files, bytes, seconds, and
what a query for one customer reads, by the files' statistics and by an actual read. The rows must be the same before
and after; a reader that was open before VACUUM must come to its end; a second housekeeping after a change of one month
must leave the other months' files alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import boto3
import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from benchmarks.table_size import enter_new_lake, start_spark
from infra.local.aws import throw_away
from infra.setup import spark_conf
from jobs import run as run_py
from jobs.lake import settings
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.run import Run
from jobs.maintenance import housed_tables, layout, optimize
from jobs.silver import orders

FILE_BYTES = 128 * 1024  # for all three, where a real lake has 128 MB: this table is a thousandth of one
COMMITS, ROWS = int(os.environ.get("COMMITS") or 500), 400
CUSTOMERS, MONTHS = 5_000, ("2026-07", "2026-08", "2026-09", "2026-10")
SILVER = "silver.orders"
COPIES = ("copies/compact", "copies/zorder")


@dataclass(frozen=True)
class State:
    """What a table is at a moment.

    Attributes:
        files: of its newest version.
        bytes: of these.
        asked_files: files that a query for one customer reads, by their statistics, on average.
        asked_bytes: bytes of these.
        seconds: that such a query takes, the best of three.
    """

    files: int
    bytes: int
    asked_files: float
    asked_bytes: float
    seconds: float


def batch(number: int, months: tuple[str, ...] = MONTHS) -> pa.Table:
    """Rows of one commit; the number decides all values."""
    draw = np.random.default_rng(number)
    month = draw.choice(months, ROWS)
    day = draw.integers(1, 28, ROWS)
    columns = {
        "order_id": pa.array([f"O{number:05d}{row:05d}" for row in range(ROWS)]),
        "customer_id": pa.array([f"C{one:05d}" for one in draw.integers(0, CUSTOMERS, ROWS)]),
        "order_date": pa.array([f"{m}-{d:02d}" for m, d in zip(month, day, strict=True)]),
        "currency": pa.array(draw.choice(["EUR", "USD", "GBP", "JPY"], ROWS)),
        "amount": pa.array([Decimal(int(one)) for one in draw.integers(1, 100_000, ROWS)], pa.decimal128(18, 2)),
        "status": pa.array(draw.choice(["PLACED", "PAID", "SHIPPED"], ROWS)),
        "updated_at": pa.array([1_790_000_000_000_000 + number] * ROWS),
        "source": pa.array(["snowflake"] * ROWS),
        "order_month": pa.array(month),
    }
    wanted = to_arrow_schema(orders.SCHEMA, timestamp_utc=True)
    return pa.Table.from_arrays([columns[field.name].cast(field.type) for field in wanted], schema=wanted)


def append(uri: str, number: int, months: tuple[str, ...] = MONTHS) -> None:
    """One small commit, as the table's own step would make it."""
    record = CommitRecord.of(Run(f"run-{number}", SILVER), counts=Counts(ROWS, ROWS))
    properties = CommitProperties(custom_metadata={"userMetadata": record.to_json()})
    content = batch(number, months)
    write_deltalake(
        uri, content, mode="append", storage_options=settings.storage_options(), commit_properties=properties
    )


def copy(folder: str) -> str:
    """A copy of the table's objects under another folder; returns its URI."""
    s3, bucket = boto3.client("s3"), settings.lake().bucket
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="silver/orders/")
    for key in [entry["Key"] for page in pages for entry in page["Contents"]]:
        source = {"Bucket": bucket, "Key": key}
        s3.copy_object(Bucket=bucket, Key=key.replace("silver/orders", folder, 1), CopySource=source)
    return f"{settings.lake().root}/{folder}"


def opened(uri: str) -> DeltaTable:
    """The table, by delta-rs."""
    return DeltaTable(uri, storage_options=settings.storage_options())


def state(uri: str) -> State:
    """What the table at this address is now."""
    (table,) = housed_tables.chosen([SILVER])
    found = layout.of(opened(uri), table)
    customers = pa.array([f"C{number:05d}" for number in range(0, CUSTOMERS, CUSTOMERS // 16)])
    files, size = found.scanned(customers)

    def ask() -> None:
        opened(uri).to_pyarrow_table(filters=[("customer_id", "=", "C02500")])

    return State(found.number, found.bytes, files, size, min(seconds(ask) for _ in range(3)))


def content(uri: str) -> pa.Table:
    """Every row, in the order of their keys."""
    rows = log.dataset(uri)
    if rows is None:
        raise RuntimeError(f"there is no table at {uri}")
    return rows.to_table().select(orders.SCHEMA.names).sort_by([("order_id", "ascending")])


def seconds(step: Callable[[], object]) -> float:
    """The seconds that a step takes."""
    begun = time.monotonic()
    step()
    return time.monotonic() - begun


def housekeep(name: str) -> None:
    """Runs the step for the table."""
    run_py.perform(Run(name, "maintenance.optimize_vacuum", subject=SILVER))


def files_by_month(uri: str) -> dict[str, set[str]]:
    """The data files of each partition."""
    found: dict[str, set[str]] = {month: set() for month in MONTHS}
    for file in opened(uri).file_uris():
        found[file.rpartition("order_month=")[2].partition("/")[0]].add(file)
    return found


def show(what: str, took: float | None, now: State) -> None:
    """Prints a line of the table."""
    time_ = f"{took:>9.1f}" if took is not None else f"{'':>9}"
    print(
        f"{what:<34}{time_}{now.files:>8}{now.bytes / 1e6:>9.2f}{now.asked_files:>10.1f}{now.asked_bytes / 1e6:>10.3f}"
        f"{now.seconds:>9.2f}",
        flush=True,
    )


def measure(spark: SparkSession) -> None:
    """Prints the table.

    Raises:
        RuntimeError: rows differ, the reader failed, or files of months that did not change were rewritten.
    """
    optimize.FILE_BYTES, uri = FILE_BYTES, settings.lake().uri(SILVER)
    writes.create(spark, uri, orders.SCHEMA, "order_month", SILVER)
    for number in range(COMMITS):
        append(uri, number)
    copies = [copy(folder) for folder in COPIES]
    before = content(uri)
    print(f"{'':<34}{'seconds':>9}{'files':>8}{'MB':>9}{'asked':>10}{'asked MB':>10}{'query s':>9}")
    show(f"{COMMITS} commits of {ROWS} rows", None, state(uri))

    reader = opened(uri).to_pyarrow_dataset().scanner(batch_size=1000).to_batches()  # opened, and not read yet
    first = next(iter(reader))
    show("housekeeping: Z-order, VACUUM", seconds(lambda: housekeep("first")), state(uri))
    read = first.num_rows + sum(one.num_rows for one in reader)
    if read != before.num_rows:
        raise RuntimeError(f"the reader that was open got {read} of {before.num_rows} rows")
    if not content(uri).equals(before):
        raise RuntimeError("the rows are not the same")

    compact, zorder = copies
    show("delta-rs: compact", seconds(lambda: opened(compact).optimize.compact(target_size=FILE_BYTES)), state(compact))
    by = list(housed_tables.chosen([SILVER])[0].zorder_by)
    show(
        "delta-rs: z_order", seconds(lambda: opened(zorder).optimize.z_order(by, target_size=FILE_BYTES)), state(zorder)
    )

    sorted_ = files_by_month(uri)
    for number in range(COMMITS, COMMITS + 10):
        append(uri, number, MONTHS[-1:])
    show("10 commits more, of one month", None, state(uri))
    show("housekeeping again", seconds(lambda: housekeep("second")), state(uri))
    now = files_by_month(uri)
    if [month for month in MONTHS if now[month] != sorted_[month]] != [MONTHS[-1]]:
        raise RuntimeError("months that did not change were rewritten")
    show("housekeeping a third time", seconds(lambda: housekeep("third")), state(uri))
    if snapshot.read(spark, uri).count() != before.num_rows + 10 * ROWS:
        raise RuntimeError("rows were lost or doubled")


def main() -> int:
    """Prints the figures. Returns 0 whatever they are."""
    with tempfile.TemporaryDirectory() as logs, throw_away.server(Path(logs)) as aws:
        os.environ.update(spark_conf.environment(aws.environment()))
        spark = start_spark(aws.s3)
        enter_new_lake("lake-housekeeping")
        measure(spark)
        spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
