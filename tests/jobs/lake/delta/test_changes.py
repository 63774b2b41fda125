"""What is new: it is read from the change feed, and reported as unknown if the feed can't say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.lake import settings
from jobs.lake.delta import changes, writes
from jobs.lake.delta.commit import Commit
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.state import objects
from tests.jobs.lakehouse import EVENTS, ORDERS, frame, land, order, order_event, put, schema_of, silver_order, version

SILVER = "silver.orders"


def ids(spark: SparkSession, since: int | None, until: int) -> list[str] | None:
    found = changes.of_batches(spark, settings.lake().uri(ORDERS), since, until)
    if found is None:
        return None
    assert not set(changes.FEED_COLUMNS) & set(found.rows.columns)
    return sorted(row["order_id"] for row in found.rows.collect())


def test_only_rows_after_the_version_and_up_to_the_other_are_new(spark: SparkSession, lake: str) -> None:
    first = land(spark, ORDERS, "b1", [order("O1")])
    second = land(spark, ORDERS, "b2", [order("O2")])
    third = land(spark, ORDERS, "b2", [order("O2"), order("O3")])  # replaces the batch

    assert ids(spark, first, second) == ["O2"]
    assert ids(spark, second, third) == ["O2", "O3"]
    assert ids(spark, second, second) == []


@pytest.mark.slow
def test_batch_that_was_replaced_in_between_comes_once_in_its_last_form(spark: SparkSession, lake: str) -> None:
    first = land(spark, ORDERS, "b1", [order("O1")])
    land(spark, ORDERS, "b2", [order("O2"), order("O9")])
    land(spark, ORDERS, "b3", [order("O4")])
    last = land(spark, ORDERS, "b2", [order("O2"), order("O3")])

    assert ids(spark, first, last) == ["O2", "O3", "O4"]


@pytest.mark.parametrize("since", [None, 99], ids=["never read", "table was created again"])
def test_changes_that_can_not_be_known_are_reported_as_unknown(
    spark: SparkSession, lake: str, since: int | None
) -> None:
    until = land(spark, ORDERS, "b1", [order("O1")])

    assert ids(spark, since, until) is None
    assert changes.net(spark, settings.lake().uri(ORDERS), ["order_id"], since, until) is None


def test_changes_whose_versions_the_log_has_lost_are_reported_as_unknown(
    spark: SparkSession, lake: str, capsys: Any
) -> None:
    versions = [land(spark, ORDERS, batch, [order(batch)]) for batch in ("O1", "O2", "O3")]
    DeltaTable(settings.lake().uri(ORDERS), storage_options=settings.storage_options()).create_checkpoint()
    for lost in range(versions[1] + 1):
        objects.delete_prefix(f"bronze/snowflake_orders/_delta_log/{lost:020d}.")
    # A session of its own, as another job would have: this one remembers the log.
    other = spark.newSession()
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()

    assert ids(other, versions[0], versions[2]) is None
    assert "reads the whole table" in capsys.readouterr().out


def test_changes_that_may_be_vacuumed_are_reported_as_unknown(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = land(spark, ORDERS, "b1", [order("O1")])
    last = land(spark, ORDERS, "b2", [order("O2")])
    monkeypatch.setattr(changes, "FILES_KEPT", timedelta(0))

    assert ids(spark, first, last) is None
    assert ids(spark, last, last) == []


def states(found: DataFrame | None) -> dict[str, tuple[str | None, str | None]]:
    """Status before and after, by order."""
    assert found is not None
    return {
        row["order_id"]: (row["_before"] and row["_before"]["status"], row["_after"] and row["_after"]["status"])
        for row in found.collect()
    }


def merge(spark: SparkSession, rows: Sequence[Mapping[str, Any]], gone: Sequence[str] = ()) -> int:
    """What a silver step commits: Spark's MERGE, whose feed it is."""
    uri, schema = settings.lake().uri(SILVER), schema_of(SILVER)
    writes.create(spark, uri, schema, "order_month", SILVER)
    batch = frame(spark, rows, schema).withColumn("_gone", F.col("order_id").isin(list(gone)))
    writes.merge(spark, uri, batch, keys=["order_id"], record=CommitRecord(), deleted="_gone")
    return version(SILVER)


@pytest.mark.slow
def test_net_change_of_a_key_is_its_first_state_and_its_last(spark: SparkSession, lake: str) -> None:
    since = merge(spark, [silver_order(f"O{n}") for n in (1, 2, 3, 4)])
    merge(spark, [silver_order("O1", status="PAID"), silver_order("O2", status="PAID"), silver_order("O5")])
    merge(spark, [silver_order("O1", status="SHIPPED"), silver_order("O2"), silver_order("O6")])
    until = merge(spark, [silver_order("O3"), silver_order("O6")], gone=("O3", "O6"))

    found = changes.net(spark, settings.lake().uri(SILVER), ["order_id"], since, until)

    assert states(found) == {
        "O1": ("PLACED", "SHIPPED"),
        "O3": ("PLACED", None),
        "O5": (None, "PLACED"),
    }  # O2 ended as it began, O4 was never touched, O6 came and went
    assert found is not None
    assert sorted(row["order_id"] for row in changes.after(found).collect()) == ["O1", "O5"]


def test_nothing_changed_between_a_version_and_itself(spark: SparkSession, lake: str) -> None:
    at = put(SILVER, [silver_order("O1")])

    assert states(changes.net(spark, settings.lake().uri(SILVER), ["order_id"], at, at)) == {}


def events(since: int, until: int, spark: SparkSession) -> list[int]:
    found = changes.of_batches(spark, settings.lake().uri(EVENTS), since, until)
    assert found is not None
    return sorted(row["offset"] for row in found.rows.collect())


def housekeeping(spark: SparkSession) -> int:
    """What it commits: an OPTIMIZE, then its figures; returns the version."""
    uri = settings.lake().uri(EVENTS)
    DeltaTable(uri, storage_options=settings.storage_options()).optimize.compact()
    writes.commit_nothing(spark, uri, CommitRecord(step="maintenance.optimize_vacuum", housekeeping={"files_after": 1}))
    return version(EVENTS)


@pytest.mark.slow
def test_table_that_rested_since_its_housekeeping_is_not_read_whole(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Age counts from the first commit that changed a row, not from a compaction of weeks ago."""
    for offset in range(2):
        read = land(spark, EVENTS, f"b{offset}", [order_event(offset=offset)])
    kept = housekeeping(spark)
    assert kept == read + 2

    monkeypatch.setattr(changes, "FILES_KEPT", timedelta(0))  # weeks have passed
    assert events(read, kept, spark) == []
    monkeypatch.setattr(changes, "_may_be_vacuumed", lambda uri, version: version <= kept)
    new = land(spark, EVENTS, "b2", [order_event(offset=2)])

    assert events(read, new, spark) == [2]


def test_compaction_takes_no_rows_out(spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the next run would search the change feed for batches that lost rows."""
    for offset in range(2):
        read = land(spark, EVENTS, f"b{offset}", [order_event(offset=offset)])
    housekeeping(spark)

    assert not changes._may_remove_rows(settings.lake().uri(EVENTS), read, version(EVENTS))
    monkeypatch.setattr(Commit, "rearranges", False)
    assert changes._may_remove_rows(settings.lake().uri(EVENTS), read, version(EVENTS))
