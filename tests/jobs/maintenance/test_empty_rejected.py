"""Old quarantined rows and dead letters lose their content and nothing else; no step has to do anything about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs import run as run_py
from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import ConfigurationError, TableBusyError
from jobs.lake.run import Run
from jobs.lake.state import leases
from jobs.maintenance import empty_rejected
from tests import lakes
from tests.jobs.lakehouse import EVENTS, ORDERS, add, at, build, killed_at, land, order, record, rows, version

SILVER, QUARANTINE, DEAD = "silver.orders", "quarantine.orders", "bronze.orders_dlq"
STEP = "maintenance.empty_rejected"
DAYS = tables.table(SILVER).rejected_days


@pytest.fixture(scope="module")
def original(spark: SparkSession, lake_environment: dict[str, str]) -> Iterator[str]:
    """Two quarantined rows of more than a year ago and one of now; three dead letters, of which one is new."""
    with lakes.empty(lake_environment) as bucket:
        land(spark, ORDERS, "b1", [order("O1"), order("Q1", status="LOST"), order("Q2", amount=None)])
        land(spark, ORDERS, "b2", [order("Q3", status="LOST")])
        build(SILVER)
        old = f"quarantined_at - INTERVAL {DAYS} DAYS - INTERVAL 1 MINUTE"
        DeltaTable.forPath(spark, settings.lake().uri(QUARANTINE)).update("batch_id = 'b1'", {"quarantined_at": old})
        add(DEAD, [dead(0, age=DAYS + 1), dead(1, value=None, age=DAYS + 1)])
        add(DEAD, [dead(2, age=DAYS - 1)])
        yield bucket


@pytest.fixture
def kept_out(original: str, lake_environment: dict[str, str]) -> Iterator[str]:
    with lakes.copy(original, lake_environment) as bucket:
        yield bucket
    lakes.forget_frames()


def dead(offset: int, *, age: int, value: bytes | None = b"{Jane Doe") -> dict[str, Any]:
    read = {"_batch_id": "d1", "_source": "kafka/orders", "_ingested_at": datetime.now(UTC) - timedelta(days=age)}
    place = {"topic": "orders", "partition": 0, "offset": offset, "timestamp": at("2026-10-01")}
    content = {"key": b"Jane Doe", "headers": [{"key": "from", "value": b"Jane"}], "value": value}
    return {**place, **content, "reason": "not_json", "detail": "at character 1: no name", **read}


def empty(**options: Any) -> None:
    run_py.perform(Run("sunday", STEP, dag_id="weekly_housekeeping", **options))


def quarantined(spark: SparkSession) -> dict[str, dict[str, Any]]:
    return {row["row_id"]: row for row in rows(QUARANTINE)}


def test_old_quarantined_rows_lose_their_content_and_nothing_else(spark: SparkSession, kept_out: str) -> None:
    before = quarantined(spark)

    empty(subject=QUARANTINE)

    after = quarantined(spark)
    assert {key: {**row, "raw_row": None} if row["batch_id"] == "b1" else row for key, row in before.items()} == after
    assert sorted(row["raw_row"] is None for row in after.values()) == [False, True, True]
    made = record(QUARANTINE)
    assert (made["housekeeping"], made["deleted"], made["table_rows"]) == ({"emptied_rows": 2.0}, 0, 3)
    assert (made["dag_id"], made["step"]) == ("weekly_housekeeping", STEP)


def test_second_time_and_dry_run_commit_nothing(
    spark: SparkSession, kept_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = version(QUARANTINE), version(DEAD)
    empty(dry_run=True)
    assert (version(QUARANTINE), version(DEAD)) == first
    said = capsys.readouterr().out
    assert f"{QUARANTINE}: 2 rows of more than {DAYS} days ago have content" in said
    assert "quarantine.fx_rates: no table yet" in said
    assert "Q1" not in said

    empty()
    second = version(QUARANTINE), version(DEAD)
    assert second == (first[0] + 1, first[1] + 1)
    empty()
    assert (version(QUARANTINE), version(DEAD)) == second


@pytest.mark.slow
@pytest.mark.parametrize("full_refresh", [False, True])
def test_silver_neither_fills_nor_doubles_an_emptied_row(
    spark: SparkSession, kept_out: str, full_refresh: bool
) -> None:
    empty(subject=QUARANTINE)
    emptied = quarantined(spark)

    land(spark, ORDERS, "b3", [order("O2")])
    made = build(SILVER, "after", full_refresh=full_refresh)

    assert made["quarantined"] == (3 if full_refresh else 0)
    assert quarantined(spark) == emptied
    run_py.perform(Run("by-hand", "quarantine.count", subject=SILVER))


def test_dead_letter_stays_with_its_place_and_reason_and_says_that_it_is_empty(
    spark: SparkSession, kept_out: str
) -> None:
    before = {row["offset"]: row for row in rows(DEAD)}
    gone = {"value": None, "key": None, "headers": None, "detail": empty_rejected.EMPTIED}

    empty(tables=(DEAD,))

    assert {row["offset"]: row for row in rows(DEAD)} == {
        0: {**before[0], **gone},
        1: {**before[1], **gone},  # a tombstone has a key
        2: before[2],
    }
    assert record(DEAD)["housekeeping"] == {"emptied_rows": 2.0}
    assert not log.commit(settings.lake().uri(DEAD), version(DEAD)).rearranges, "rows did change"


@pytest.mark.parametrize("held", [EVENTS, DEAD])
def test_dead_letters_are_emptied_only_while_no_stream_can_write(
    spark: SparkSession, kept_out: str, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "PATIENCE", timedelta(0))
    before = version(DEAD)
    with leases.hold(Run("stream", EVENTS), held), pytest.raises(TableBusyError):
        empty(subject=DEAD)
    assert version(DEAD) == before


@pytest.mark.slow
def test_job_killed_before_its_record_is_made_up_for(spark: SparkSession, kept_out: str) -> None:
    with killed_at(empty_rejected.ledger, "record"):
        empty(subject=QUARANTINE)
    lakes.forget_frames()

    build(SILVER, "after", full_refresh=True)
    land(spark, ORDERS, "b4", [order("Q9", status="LOST")])
    build(SILVER, "later")  # the next step that writes the quarantine records what was not recorded

    found = [commit for commit in log.commits(settings.lake().uri(QUARANTINE)) if commit.record]
    emptied = next(commit for commit in found if commit.record.housekeeping)
    assert empty_rejected.ledger.recorded.find(QUARANTINE, emptied)["housekeeping"] == {"emptied_rows": 2.0}


def test_every_table_of_rejected_rows_has_a_policy_and_others_are_refused(spark: SparkSession, lake: str) -> None:
    every = {table.name: table for table in empty_rejected._every()}
    silver = {f"quarantine.{table.short}" for table in tables.layer("silver")}
    assert set(every) == {*silver, *(table.name for table in tables.every() if table.written_with)}
    assert DEAD in every
    with pytest.raises(ConfigurationError, match=r"silver\.orders holds no rejected rows; name one of bronze"):
        empty(subject=SILVER)


def test_only_files_with_old_content_are_read(spark: SparkSession, kept_out: str) -> None:
    empty(subject=QUARANTINE)
    table = next(each for each in empty_rejected._every() if each.name == QUARANTINE)
    due = empty_rejected._due(table, datetime.now(UTC) - timedelta(days=DAYS))

    left = spark.read.format("delta").load(table.uri).filter(due)

    assert left.count() == 0
    assert left.select(F.input_file_name()).distinct().count() == 0
