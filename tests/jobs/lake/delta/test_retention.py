"""How long logs are kept: a table's newest read stays in its log, and a log that was cleaned loses no row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from jobs.lake import settings, tables
from jobs.lake.delta import changes, log, retention, writes
from jobs.lake.delta.retention import BATCHES, STREAM, LogRetention
from jobs.lake.run import Run, Window
from jobs.lake.state import watermark
from jobs.sources.kafka import batches, position
from jobs.sources.kafka.topic import of_table
from tests.jobs.lakehouse import EVENTS, ORDERS, at, order_event, put, schema_of, version

RETENTION, INTERVAL = "delta.logRetentionDuration", "delta.checkpointInterval"
NOTHING: dict[str, str] = {}


def properties(table: str) -> dict[str, str]:
    return log.properties(settings.lake().uri(table))


def create(spark: SparkSession, table: str = "silver.orders", **options: Any) -> None:
    writes.create(spark, settings.lake().uri(table), schema_of(table), None, table, **options)


def plain(table: str = "silver.orders", **configuration: str) -> None:
    """A table as an earlier release or a person made it."""
    names = {name.replace("_", "."): value for name, value in configuration.items()}
    rows = DeltaTable.create(
        settings.lake().uri(table),
        schema=_arrow(table),
        configuration=names,
        storage_options=settings.storage_options(),
    )
    assert rows.version() == 0


def _arrow(table: str) -> Any:
    from pyspark.sql.pandas.types import to_arrow_schema

    return to_arrow_schema(schema_of(table), timestamp_utc=True)


@pytest.mark.slow
def test_new_table_is_created_with_them_in_one_commit(spark: SparkSession, lake: str) -> None:
    create(spark)

    assert BATCHES.properties().items() <= properties("silver.orders").items()
    assert version("silver.orders") == 0


def test_table_of_an_earlier_release_gets_them_once(spark: SparkSession, lake: str) -> None:
    plain()

    create(spark)
    create(spark)

    assert BATCHES.properties().items() <= properties("silver.orders").items()
    assert version("silver.orders") == 1
    (commit,) = [c for c in log.commits(settings.lake().uri("silver.orders")) if c.version == 1]
    assert commit.counts is None, "no step's commit: the ledger, the gate and the watermark pass over it"


@pytest.mark.slow
def test_what_a_person_has_set_stays(spark: SparkSession, lake: str) -> None:
    plain(delta_logRetentionDuration="interval 90 days")

    create(spark)

    assert (properties("silver.orders")[RETENTION], properties("silver.orders")[INTERVAL]) == ("interval 90 days", "10")


@pytest.mark.slow
def test_streams_tables_have_a_shorter_log_with_fewer_checkpoints(spark: SparkSession, lake: str) -> None:
    topic = of_table(tables.table(EVENTS))
    batches.create_tables(spark, topic)

    for table in (topic.events, topic.dead):
        assert STREAM.properties().items() <= properties(table.name).items()


def test_log_of_a_stream_outlives_the_files_that_vacuum_keeps() -> None:
    """Otherwise the change feed and RESTORE would end before the data does."""
    assert timedelta(days=STREAM.days) > changes.FILES_KEPT


def test_log_of_a_batch_table_outlives_the_pause_between_two_yearly_reads() -> None:
    assert BATCHES.days > 366


def read(day: int) -> None:
    """A scheduled read of one day of October, committed."""
    run = Run(f"run-{day}", ORDERS, window_start=at(f"2026-10-{day:02d}"), window_end=at(f"2026-10-{day + 1:02d}"))
    table = tables.table(ORDERS)
    window = watermark.window(run, table)
    end = watermark.after(run, table, window)
    put(ORDERS, [], run_id=run.run_id, step=ORDERS, window=window.record(), read_to=end, format=2)
    watermark.save(run, table, window)


def compactions(table: str, rows: list[dict[str, Any]], number: int = 12) -> None:
    for _ in range(number):
        put(table, rows, step="optimize")
    log.open_table(settings.lake().uri(table)).create_checkpoint()


def clean(table: str, kept: dict[str, str]) -> None:
    """What Delta does after a checkpoint, with these properties."""
    found = log.open_table(settings.lake().uri(table))
    if kept:
        found.alter.set_table_properties(kept)
        found.create_checkpoint()
    found.cleanup_metadata()


NEXT = Run("next", ORDERS, window_start=at("2026-10-09"), window_end=at("2026-10-10"))


@pytest.mark.parametrize("kept", [BATCHES, LogRetention(days=30, checkpoint_every=10)], ids=["ours", "Delta's"])
def test_newest_read_stays_in_the_log_behind_a_series_of_compactions(lake: str, kept: LogRetention) -> None:
    read(1)
    compactions(ORDERS, [])

    clean(ORDERS, kept.properties())

    overlap = timedelta(hours=tables.table(ORDERS).overlap_hours)
    assert watermark.window(NEXT, tables.table(ORDERS)) == Window(at("2026-10-02") - overlap, at("2026-10-10"))


GONE = {RETENTION: "interval 0 seconds"}  # as if the retention had passed


def test_source_whose_newest_read_was_cleaned_away_is_read_again_from_its_beginning(lake: str) -> None:
    read(1)
    compactions(ORDERS, [])

    clean(ORDERS, GONE)

    assert [commit.version for commit in log.commits(settings.lake().uri(ORDERS))][-1] > 0
    assert watermark.window(NEXT, tables.table(ORDERS)) == Window(None, at("2026-10-10"))


def test_stream_whose_newest_batch_was_cleaned_away_goes_on_by_its_rows(lake: str) -> None:
    rows = [order_event(offset=number) for number in range(3)]
    put(EVENTS, rows, position={"0": 3})
    compactions(EVENTS, rows)

    clean(EVENTS, GONE)

    assert all(not (c.record and c.record.position) for c in log.commits(settings.lake().uri(EVENTS)))
    assert position.of_table(tables.table(EVENTS)) == position.Position({0: 3}, "orders")


def test_step_whose_last_commit_was_cleaned_away_finds_none_and_reads_all(lake: str) -> None:
    put("silver.orders", [], step="silver.orders", inputs={ORDERS: 4})
    compactions("silver.orders", [])

    clean("silver.orders", GONE)

    assert log.newest_of(settings.lake().uri("silver.orders"), "silver.orders") is None


def test_properties_are_those_of_delta() -> None:
    assert retention.BATCHES.properties() == {RETENTION: "interval 400 days", INTERVAL: "10"}
    assert retention.STREAM.properties() == {RETENTION: "interval 8 days", INTERVAL: "100"}
