"""What tests of the lake need often: rows of each table, to write them, to build tables, and to look at the result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from jobs import steps
from jobs.lake import settings, tables
from jobs.lake.delta import log, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.extract import Request
from jobs.lake.ingest import LINEAGE
from jobs.lake.run import Run, Window
from jobs.lake.state import recorded, watermark
from tests import lakes

ORDERS = "bronze.snowflake_orders"
ACCOUNTS = "bronze.salesforce_accounts"
RATES = "bronze.fx_rates"
EVENTS = "bronze.orders_events"


def at(text: str) -> datetime:
    """`2026-10-01` or `2026-10-01 12:30:00.000001`, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def order(order_id: str | None = "O1", **other: Any) -> dict[str, Any]:
    """A good row of Snowflake's ORDERS, with the values that matter to the test."""
    return {
        "order_id": order_id,
        "customer_id": "C1",
        "order_date": date(2026, 10, 1),
        "currency": "EUR",
        "amount": Decimal("10.00"),
        "status": "PLACED",
        "updated_at": at("2026-10-01 08:00:00"),
        **other,
    }


def silver_order(order_id: str = "O1", **other: Any) -> dict[str, Any]:
    """A good row of `silver.orders`."""
    row = order(order_id, **other)
    return {**row, "source": "snowflake", "order_month": f"{row['order_date']:%Y-%m}"}


def account(record_id: str | None = "001000000000001AAA", **other: Any) -> dict[str, Any]:
    """A good Salesforce account, as text."""
    return {
        "id": record_id,
        "account_number": "C1",
        "name": "One Ltd",
        "type": "Customer",
        "industry": "Energy",
        "billing_country": "IE",
        "annual_revenue": "1000000.0",
        "number_of_employees": "12",
        "created_date": "2026-01-01T00:00:00.000+0000",
        "last_modified_date": "2026-10-01T00:00:00.000+0000",
        "system_modstamp": "2026-10-01T00:00:00.000+0000",
        "is_deleted": "false",
        **other,
    }


def silver_account(record_id: str = "001000000000001AAA", **other: Any) -> dict[str, Any]:
    """A good row of `silver.salesforce_accounts`."""
    return {
        **account(record_id),
        "annual_revenue": Decimal("1000000.00"),
        "number_of_employees": 12,
        "created_date": at("2026-01-01"),
        "last_modified_date": at("2026-10-01"),
        "system_modstamp": at("2026-10-01"),
        "is_deleted": False,
        **other,
    }


def order_event(order_id: str = "O1", **other: Any) -> dict[str, Any]:
    """A good row of `bronze.orders_events`, with the values that matter to the test."""
    row = {key: value for key, value in order(order_id).items() if key != "updated_at"}
    place = {"topic": "orders", "partition": 0, "offset": 0}
    return {**row, **place, "event_timestamp": at("2026-10-01 08:00:00"), **other}


def quote(day: str, ccy: str, per_euro: str, published_at: str = "2026-10-02 14:00:00") -> dict[str, Any]:
    """One quote of the ECB feed."""
    return {"as_of_date": day, "ccy": ccy, "rate": per_euro, "published_at": at(published_at)}


def silver_rate(day: str, ccy: str, usd_rate: str) -> dict[str, Any]:
    """A row of `silver.fx_rates`."""
    return {
        "ccy": ccy,
        "as_of_date": date.fromisoformat(day),
        "usd_rate": Decimal(usd_rate),
        "published_at": at("2026-10-02 14:00:00"),
    }


def quoted_rate(day: str, ccy: str, per_euro: Decimal, usd_per_euro: Decimal) -> dict[str, Any]:
    """A row of `silver.fx_rates` with its quotes."""
    cut = (usd_per_euro / per_euro).quantize(Decimal("1.000000000000"))
    return {**silver_rate(day, ccy, str(cut)), "per_euro": per_euro, "usd_per_euro": usd_per_euro}


def request(table: str, window: Window, **options: Any) -> Request:
    """What the kernel asks of a bronze table's `extract`."""
    return Request(tables.table(table), window, **options)


def good_rows(table: str) -> list[dict[str, Any]]:
    """Rows that keep every rule of a silver or gold table's suite: `GOOD` in the table's own test."""
    layer, _, short = table.partition(".")
    found: list[dict[str, Any]] = import_module(f"tests.jobs.{layer}.test_{short}").GOOD
    return found


def schema_of(table: str) -> StructType:
    """The table's whole schema, in bronze with the lineage columns."""
    own = import_module(f"jobs.{table}").SCHEMA
    return StructType([*own, *LINEAGE]) if table.startswith("bronze.") else own


def frame(spark: SparkSession, rows: Iterable[Mapping[str, Any]], schema: StructType) -> DataFrame:
    """Rows as a DataFrame; a column that a row lacks is null. As an Arrow table, they take no Python worker."""
    arrow = to_arrow_schema(schema, timestamp_utc=True)
    content = pa.Table.from_pylist([{name: row.get(name) for name in arrow.names} for row in rows], arrow)
    return spark.createDataFrame(content, schema)


def land(spark: SparkSession, table: str, batch_id: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Commits rows as a batch of a bronze table, as its own step would; returns the version.

    A batch that is there already is replaced by Spark, as in production; a new one is appended without it, which
    spares two seconds. A row that names `_ingested_at` was read then, all others now.
    """
    uri, source = settings.lake().uri(table), tables.table(table).source
    lineage = {"_batch_id": batch_id, "_source": source, "_ingested_at": datetime.now(UTC)}
    content = [{**lineage, **row} for row in rows]
    record = CommitRecord.of(
        Run("land", table),
        batch_id=batch_id,
        source=source,
        counts=Counts(len(rows), len(rows)),
        window={"start": None, "end": "2026-10-02T00:00:00+00:00"},
    )
    if any(commit.record and commit.record.batch_id == batch_id for commit in log.commits(uri)):
        batch = frame(spark, content, schema_of(table))
        writes.replace_batch(batch, uri, batch_id, record, add_columns=False)
    else:
        arrow = to_arrow_schema(schema_of(table), timestamp_utc=True)
        storage, partitions = settings.storage_options(), _partitions(table)
        if log.version(uri) is None:
            DeltaTable.create(
                uri, arrow, partition_by=partitions, configuration=writes.PROPERTIES, storage_options=storage
            )
        _write(uri, content, arrow, record.to_json(), mode="append", partition_by=partitions)
    return version(table)


def put(table: str, rows: Sequence[Mapping[str, Any]], **metadata: Any) -> int:
    """Makes these rows the whole of a silver or gold table in one commit, without Spark; returns the version."""
    arrow = to_arrow_schema(schema_of(table), timestamp_utc=True)
    partitions = _partitions(table)
    _write(settings.lake().uri(table), rows, arrow, json.dumps(metadata), mode="overwrite", partition_by=partitions)
    return version(table)


def add(table: str, rows: Sequence[Mapping[str, Any]], **metadata: Any) -> int:
    """Adds rows to a table in one commit, as one file for each partition, without Spark; returns the version.

    The table has what ours have, such as a change feed.
    """
    uri, arrow = settings.lake().uri(table), to_arrow_schema(schema_of(table), timestamp_utc=True)
    storage, partitions = settings.storage_options(), _partitions(table)
    if log.version(uri) is None:
        DeltaTable.create(uri, arrow, partition_by=partitions, configuration=writes.PROPERTIES, storage_options=storage)
    _write(uri, rows, arrow, json.dumps(metadata), mode="append", partition_by=partitions)
    return version(table)


def _partitions(table: str) -> list[str] | None:
    column = tables.table(table).partition_column
    return [column] if column else None


def _write(uri: str, rows: Iterable[Mapping[str, Any]], arrow: pa.Schema, metadata: str, **options: Any) -> None:
    """A commit of rows without Spark; a column that a row lacks is null."""
    content = pa.Table.from_pylist([{name: row.get(name) for name in arrow.names} for row in rows], arrow)
    properties = CommitProperties(custom_metadata={"userMetadata": metadata})
    write_deltalake(uri, content, storage_options=settings.storage_options(), commit_properties=properties, **options)


def commit_window(run: Run, window: Window) -> None:
    """What a bronze step commits for a window without rows; the watermark's object is left to the caller."""
    table = tables.table(run.step)
    read_to = watermark.after(run, table, window)
    record = CommitRecord.of(run, window=window.record(), read_to=read_to, counts=Counts(0))
    put(run.step, [], **json.loads(record.to_json()))


def change(table: str, rows: Sequence[Mapping[str, Any]], gone: Sequence[str] = ()) -> int:
    """Merges rows into a silver table, with its change feed, without Spark; deletes those whose first key is named."""
    facts, uri = tables.table(table), settings.lake().uri(table)
    if log.version(uri) is None:
        return add(table, rows)
    arrow = to_arrow_schema(schema_of(table), timestamp_utc=True)
    target = DeltaTable(uri, storage_options=settings.storage_options())
    content = [{**{name: row.get(name) for name in arrow.names}, "_gone": row[facts.keys[0]] in gone} for row in rows]
    merging = target.merge(
        pa.Table.from_pylist(content, arrow.append(pa.field("_gone", pa.bool_()))),
        " AND ".join(f"t.{key} = s.{key}" for key in facts.keys),
        source_alias="s",
        target_alias="t",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": CommitRecord().to_json()}),
    )
    columns = {name: f"s.{name}" for name in arrow.names}
    merging.when_matched_delete("s._gone").when_matched_update(columns).when_not_matched_insert(columns, "NOT s._gone")
    merging.execute()
    return version(table)


def build(step: str, run_id: str = "run-1", **options: Any) -> dict[str, Any]:
    """Runs a table's step as `run.py` would; returns the record of the commit that it made."""
    steps.build(Run(run_id=run_id, step=step, **options))
    lakes.forget_frames()  # a job's process ends here
    return record(step)


def record(table: str) -> dict[str, Any]:
    """The ledger's record of the table's newest version."""
    found = recorded.find(table, newest(table))
    assert found is not None, f"the ledger has no record of {table} version {version(table)}"
    return dict(found)


def newest(table: str) -> log.Commit:
    """The commit of the table's newest version."""
    return next(log.commits(settings.lake().uri(table)))


def version(table: str) -> int:
    """The table's newest version."""
    found = log.version(settings.lake().uri(table))
    assert found is not None, f"there is no table {table}"
    return found


def rows(table: str) -> list[dict[str, Any]]:
    """Every row and column, in a fixed order, times in UTC; read without Spark, which takes four times as long."""
    stored = DeltaTable(settings.lake().uri(table), storage_options=settings.storage_options())
    return sorted(map(_in_utc, stored.to_pyarrow_table().to_pylist()), key=str)


def collect(found: DataFrame) -> list[dict[str, Any]]:
    """Rows with times in UTC: Spark passes them to Python in the machine's own zone, without a zone in them."""
    return [_in_utc(row.asDict()) for row in found.collect()]


def _in_utc(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in row.items()}


def by(table: str, key: str, value: str) -> dict[Any, Any]:
    """One column by another, which must be unique."""
    found = rows(table)
    pairs = {row[key]: row[value] for row in found}
    assert len(pairs) == len(found), f"{key} is doubled in {found}"
    return pairs


def files(table: str) -> set[str]:
    """The data files of the newest version, from the log."""
    return set(DeltaTable(settings.lake().uri(table), storage_options=settings.storage_options()).file_uris())


@contextmanager
def killed_at(place: Any, name: str) -> Iterator[None]:
    """Kills what runs inside the block when it calls `place.name`; it must get there."""

    def kill(*_: object, **__: object) -> None:
        raise InterruptedError(f"killed at {name}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, kill)
        with pytest.raises(InterruptedError, match=name):
            yield
