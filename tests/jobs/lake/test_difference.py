"""What a table's new content changes, row by row."""

from __future__ import annotations

from pyspark.sql import SparkSession

from jobs.lake import difference
from jobs.lake.difference import CHANGED, DELETED, NEW, UNCHANGED


def test_each_row_has_the_class_of_what_becomes_of_it_and_a_deleted_one_keeps_its_key(spark: SparkSession) -> None:
    schema = "key string, value string"
    new = spark.createDataFrame([("new", "1"), ("changed", "2"), ("same", "3"), ("null", None)], schema)
    current = spark.createDataFrame([("changed", "1"), ("same", "3"), ("gone", "4"), ("null", "")], schema)

    found = difference.compare(new, current, ("key",)).collect()

    assert {row["key"]: (row["_class"], row["value"], row["_was_value"]) for row in found} == {
        "new": (NEW, "1", None),
        "changed": (CHANGED, "2", "1"),
        "same": (UNCHANGED, "3", "3"),
        "null": (CHANGED, None, ""),
        "gone": (DELETED, None, "4"),
    }
    written = difference.to_write(difference.compare(new, current, ("key",)), ["key"]).collect()
    assert {row["key"] for row in written} == {"new", "changed", "null"}
