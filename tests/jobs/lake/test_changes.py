"""What is new since a version, and what happens when the change feed can't say."""

from __future__ import annotations

from typing import Any

from deltalake import DeltaTable
from pyspark.sql import SparkSession

from jobs.lake import changes, objects, settings
from tests.jobs.lakehouse import ORDERS, land, order


def ids(spark: SparkSession, since: int | None, until: int) -> list[str]:
    found = changes.inserted(spark, settings.lake().uri(ORDERS), since, until)
    assert not set(changes.FEED_COLUMNS) & set(found.columns)
    return sorted(row["order_id"] for row in found.collect())


def test_only_rows_after_the_version_and_up_to_the_other_are_new(spark: SparkSession, lake: str) -> None:
    first = land(spark, ORDERS, "b1", [order("O1")])
    second = land(spark, ORDERS, "b2", [order("O2")])
    third = land(spark, ORDERS, "b2", [order("O2"), order("O3")])  # replaces the batch

    assert ids(spark, first, second) == ["O2"]
    assert ids(spark, second, third) == ["O2", "O3"]
    assert ids(spark, None, second) == ["O1", "O2"]
    assert ids(spark, third, third) == []


def test_table_that_was_made_anew_is_read_whole(spark: SparkSession, lake: str) -> None:
    version = land(spark, ORDERS, "b1", [order("O1")])

    assert ids(spark, version + 50, version) == ["O1"]


def test_log_that_has_lost_the_versions_gives_the_whole_table(spark: SparkSession, lake: str, capsys: Any) -> None:
    versions = [land(spark, ORDERS, batch, [order(batch)]) for batch in ("O1", "O2", "O3")]
    DeltaTable(settings.lake().uri(ORDERS), storage_options=settings.storage_options()).create_checkpoint()
    for lost in range(versions[1] + 1):
        objects.delete_prefix(f"bronze/snowflake_orders/_delta_log/{lost:020d}.")
    # A session of its own, as another job would have: this one remembers the log.
    other = spark.newSession()
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()

    assert ids(other, versions[0], versions[2]) == ["O1", "O2", "O3"]
    assert "reads all of it" in capsys.readouterr().out
