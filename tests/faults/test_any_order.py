"""Backfills in any order end in the same tables, to the last column."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from tests import lakes
from tests.faults import any_order


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_days_read_reversed_and_twice_end_in_the_same_tables(
    spark: SparkSession, lake_environment: dict[str, str]
) -> None:
    found = []
    for days in ([0, 1], [1, 0, 1]):
        with lakes.empty(lake_environment):
            found.append(any_order.backfill(spark, days))

    assert found[0] == found[1]
