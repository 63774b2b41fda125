"""Rows by Delta's own actions: what a cleaned log no longer says is unknown, and no zero."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs.lake import settings
from jobs.lake.delta import row_counts
from jobs.lake.state import objects
from tests.jobs.lakehouse import ORDERS, land, order, version


@pytest.mark.usefixtures("lake")
def test_rows_that_commits_added_are_counted_until_one_of_them_is_gone(spark: SparkSession) -> None:
    for batch in ("b1", "b2", "b3"):
        land(spark, ORDERS, batch, [order(f"{batch}-1"), order(f"{batch}-2")])
    uri, newest = settings.lake().uri(ORDERS), version(ORDERS)
    assert row_counts.added(uri, newest - 2, newest) == 4

    objects.delete_prefix(f"bronze/snowflake_orders/_delta_log/{newest - 1:020d}.")

    assert row_counts.added(uri, newest - 2, newest) is None
    assert row_counts.added(uri, newest - 1, newest) == 2
