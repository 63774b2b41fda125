"""Newest-wins as a pure function; a plain dictionary stands for the table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import IntegerType, StringType, StructField, StructType, TimestampType

from jobs.lake import newest_wins
from tests.jobs.lakehouse import at, collect, frame

SCHEMA = StructType(
    [
        StructField("key", StringType()),
        StructField("value", StringType()),
        StructField("time", TimestampType()),
        StructField("sequence", IntegerType()),
    ]
)
Row = dict[str, Any]


def event(value: str | None, time: str | None, key: str = "k", sequence: int | None = None) -> Row:
    return {"key": key, "value": value, "time": at(time) if time else None, "sequence": sequence}


def classify(
    spark: SparkSession, incoming: Sequence[Row], table: Sequence[Row], order_by: Sequence[str] = ("time",)
) -> list[Row]:
    """The incoming rows with their class."""
    found = newest_wins.classify(
        frame(spark, incoming, SCHEMA), frame(spark, table, SCHEMA), keys=["key"], order_by=order_by
    )
    return collect(found.select(*SCHEMA.names, "_class"))


def after(spark: SparkSession, batches: Sequence[Sequence[Row]], order_by: Sequence[str] = ("time",)) -> dict[str, Row]:
    """The table after these batches."""
    table: dict[str, Row] = {}
    for batch in batches:
        for row in classify(spark, batch, list(table.values()), order_by):
            if row.pop("_class") in (newest_wins.NEW, newest_wins.CHANGED):
                table[row["key"]] = row
    return table


def side_by_side(batches: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """The batches in all orders at once, step by step; each order has its own keys."""
    orders = list(enumerate(permutations(batches)))
    return [
        [{**row, "key": f"{number}/{row['key']}"} for number, order in orders for row in order[step]]
        for step in range(len(batches))
    ]


def classes(spark: SparkSession, incoming: Sequence[Row], table: Sequence[Row] = ()) -> dict[str, str]:
    return {row["value"]: row["_class"] for row in classify(spark, incoming, table)}


def test_newer_row_changes_the_table(spark: SparkSession) -> None:
    assert classes(spark, [event("b", "2026-10-02")], [event("a", "2026-10-01")]) == {"b": newest_wins.CHANGED}


def test_late_older_row_never_overwrites_a_newer_one(spark: SparkSession) -> None:
    assert classes(spark, [event("a", "2026-10-01")], [event("b", "2026-10-02")]) == {"a": newest_wins.SUPERSEDED}


def test_row_without_time_counts_as_the_oldest(spark: SparkSession) -> None:
    assert classes(spark, [event("a", None)], [event("b", "1970-01-01")]) == {"a": newest_wins.SUPERSEDED}
    assert classes(spark, [event("b", "1970-01-01")], [event("a", None)]) == {"b": newest_wins.CHANGED}


def test_same_row_again_is_unchanged(spark: SparkSession) -> None:
    assert classes(spark, [event("a", "2026-10-01")], [event("a", "2026-10-01")]) == {"a": newest_wins.UNCHANGED}


def test_only_the_newest_of_a_batch_is_written(spark: SparkSession) -> None:
    batch = [event("b", "2026-10-02"), event("c", "2026-10-03"), event("a", "2026-10-01")]

    assert classes(spark, batch) == {"a": newest_wins.SUPERSEDED, "b": newest_wins.SUPERSEDED, "c": newest_wins.NEW}


def test_duplicate_in_a_batch_is_written_once_and_accounted_for(spark: SparkSession) -> None:
    found = classify(spark, [event("a", "2026-10-01"), event("a", "2026-10-01")], [])

    assert sorted(row["_class"] for row in found) == [newest_wins.NEW, newest_wins.UNCHANGED]


def test_rows_of_other_keys_are_left_alone(spark: SparkSession) -> None:
    table = [event("x", "2026-10-09", key="other")]

    assert classes(spark, [event("a", "2026-10-01")], table) == {"a": newest_wins.NEW}


def test_later_columns_of_the_order_decide_between_equal_times(spark: SparkSession) -> None:
    first, second = event("z", "2026-10-01", sequence=1), event("a", "2026-10-01", sequence=2)

    for batches in ([[first], [second]], [[second], [first]], [[first, second]]):
        assert after(spark, batches, ("time", "sequence"))["k"]["value"] == "a"


def test_tie_has_the_same_winner_in_either_order(spark: SparkSession) -> None:
    one, two = event("one", "2026-10-01"), event("two", "2026-10-01")

    assert after(spark, [[one], [two]]) == after(spark, [[two], [one]]) == after(spark, [[one, two]])


def test_rows_that_differ_by_a_microsecond_are_different_rows(spark: SparkSession) -> None:
    earlier, later = event("a", "2026-10-01 00:00:00.000100"), event("a", "2026-10-01 00:00:00.000200")

    table = after(spark, [[later], [earlier]])

    assert table == after(spark, [[earlier], [later]])
    assert table["k"]["time"] == at("2026-10-01 00:00:00.000200")


def test_any_permutation_of_batches_ends_in_the_same_table(spark: SparkSession) -> None:
    batches = [
        [event("a", "2026-10-01"), event("tie", "2026-10-03"), event("z", "2026-10-01", key="other")],
        [event("c", "2026-10-03"), event("c", "2026-10-03"), event(None, "2026-10-04", key="nulls")],
        [event("b", "2026-10-02"), event("y", "2026-10-01", key="other"), event("n", "2026-10-04", key="nulls")],
    ]

    steps = side_by_side(batches)
    table = after(spark, steps)

    assert len(table) == 6 * len({"k", "other", "nulls"})
    assert table == after(spark, [[row for step in steps for row in step]])


def test_value_that_returns_wins_in_any_order(spark: SparkSession) -> None:
    batches = [[event("x", "2026-10-01")], [event("y", "2026-10-02")], [event("x", "2026-10-03")]]

    table = after(spark, side_by_side(batches))

    assert table == {f"{number}/k": event("x", "2026-10-03", key=f"{number}/k") for number in range(6)}


@pytest.mark.parametrize(("one", "two"), [("a", None), ("a", ""), ("", None), ('"', "'")])
def test_different_values_have_different_hashes(spark: SparkSession, one: str | None, two: str | None) -> None:
    found = frame(spark, [event(one, None), event(two, None)], SCHEMA).select(newest_wins.content_hash(SCHEMA.names))

    assert found.distinct().count() == 2


def test_hash_does_not_depend_on_the_order_of_columns(spark: SparkSession) -> None:
    rows = frame(spark, [event("a", "2026-10-01")], SCHEMA)
    forth, back = newest_wins.content_hash(SCHEMA.names), newest_wins.content_hash(SCHEMA.names[::-1])

    assert rows.filter(forth == back).count() == 1
