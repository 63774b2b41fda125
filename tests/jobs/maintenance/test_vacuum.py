"""VACUUM never takes a file that somebody may still need, and takes those of the change feed with the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from jobs.lake import settings
from jobs.lake.errors import ConfigurationError, LakeError
from jobs.lake.state import objects
from jobs.maintenance import vacuum
from jobs.maintenance.needed_versions import Need
from jobs.maintenance.vacuum import MARGIN, PROPERTY
from tests.jobs.lakehouse import files, put, silver_order

SILVER = "silver.orders"
WEEK = timedelta(hours=168)


@pytest.fixture
def uri(lake: str) -> str:
    """A table of three versions, all a moment old."""
    for _ in range(3):
        put(SILVER, [silver_order("O1")])
    return settings.lake().uri(SILVER)


def in_future(**ahead: float) -> datetime:
    return datetime.now(UTC) + timedelta(**ahead)


def test_table_that_nobody_needs_is_kept_for_a_week(uri: str) -> None:
    assert vacuum.retention(uri, [], in_future(days=400)) == vacuum.Retention(168)


@pytest.mark.parametrize("age", [WEEK - MARGIN + timedelta(hours=1), timedelta(days=50)], ids=str)
def test_vacuum_waits_while_an_older_version_is_needed_and_says_for_whom(uri: str, age: timedelta) -> None:
    now = datetime.now(UTC) + age

    found = vacuum.retention(uri, [Need(2, "the newest"), Need(0, "gold.x has read it")], now)

    assert found.hours == 168
    assert found.postponed == f"version 0, until {age / timedelta(days=1):.1f} days ago the newest: gold.x has read it"


def test_version_that_a_week_keeps_anyway_holds_nothing_up(uri: str) -> None:
    assert vacuum.retention(uri, [Need(0, "gold.x has read it")], in_future(days=5)).postponed == ""


def test_newest_version_holds_nothing_up_however_old_it_is(uri: str) -> None:
    assert vacuum.retention(uri, [Need(2, "gold.x has read it")], in_future(days=400)).postponed == ""


def test_changes_that_are_too_old_to_be_read_hold_nothing_up(uri: str) -> None:
    gate = [Need(0, "the gate", as_changes=True)]

    assert vacuum.retention(uri, gate, in_future(days=6.9)).postponed
    assert not vacuum.retention(uri, gate, in_future(days=7.1)).postponed


@pytest.mark.parametrize(
    ("given", "hours"),
    [("interval 1 day", 168), ("interval 30 days", 720), ("INTERVAL 2 WEEKS", 336), ("240 hours", 240)],
)
def test_longer_retention_that_a_person_has_set_is_kept(uri: str, given: str, hours: int) -> None:
    keep(uri, given)

    assert vacuum.retention(uri, [], in_future()).hours == hours


def test_retention_that_can_not_be_read_is_refused(uri: str) -> None:
    keep(uri, "interval 1 month")

    with pytest.raises(ConfigurationError, match="interval 1 month; say it in hours, days or weeks"):
        vacuum.retention(uri, [], in_future())


def keep(uri: str, text: str) -> None:
    found = DeltaTable(uri, storage_options=settings.storage_options())
    found.alter.set_table_properties({PROPERTY: text}, raise_if_not_exists=False)


def keys(bucket: str, *, log: bool = False) -> set[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="silver/orders/")
    found = {entry["Key"] for page in pages for entry in page.get("Contents", []) if not entry["Key"].endswith("/")}
    return {key for key in found if ("/_delta_log/" in key) is log}


@pytest.fixture
def at_once(spark: SparkSession) -> Iterator[None]:
    """Delta lets VACUUM remove files of this very moment."""
    name = "spark.databricks.delta.retentionDurationCheck.enabled"
    spark.conf.set(name, "false")
    yield
    spark.conf.unset(name)


@pytest.mark.usefixtures("at_once")
def test_files_that_left_the_table_go_and_its_change_feeds_too(spark: SparkSession, lake: str) -> None:
    for _ in range(2):
        put(SILVER, [silver_order("O1")])
    objects.write("silver/orders/_change_data/cdc-00000.parquet", b"changes of a MERGE")
    uri, before = settings.lake().uri(SILVER), keys(lake)
    log = keys(lake, log=True)

    number = vacuum.count(spark, uri, 0)
    assert keys(lake) == before, "a count removes nothing"
    vacuum.run(spark, uri, 0, logged=True)

    assert number == 2
    assert {f"s3://{lake}/{key}" for key in keys(lake)} == files(SILVER)
    assert log < keys(lake, log=True), "the log stays, and says that VACUUM was there"
    assert vacuum.count(spark, uri, 0) == 0


@pytest.mark.usefixtures("at_once")
def test_vacuum_that_would_take_the_tables_log_is_refused(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a session's fast listing, Delta takes the log for files that nobody uses."""
    put(SILVER, [silver_order("O1")])
    monkeypatch.setattr(vacuum, "_FAST_LISTING", "no.such.setting")

    with pytest.raises(LakeError, match=r"would remove 1 files of the table's log\. Nothing was removed"):
        vacuum.count(spark, settings.lake().uri(SILVER), 0)

    assert len(keys(lake, log=True)) == 1


def test_files_of_the_last_week_stay(spark: SparkSession, lake: str) -> None:
    put(SILVER, [silver_order("O1")])
    put(SILVER, [silver_order("O2")])
    before = keys(lake)

    assert vacuum.count(spark, settings.lake().uri(SILVER), 168) == 0
    vacuum.run(spark, settings.lake().uri(SILVER), 168, logged=False)

    assert keys(lake) == before
