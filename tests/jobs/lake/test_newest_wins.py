"""Newest-wins as pure functions: which of several rows is the newest, and when the table can't tell it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import (
    ArrayType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.lake import newest_wins
from tests.jobs.lakehouse import at, collect, frame

COLUMNS = ["key", "value", "time", "second_time"]
SCHEMA = StructType(
    [
        StructField("key", StringType()),
        StructField("value", StringType()),
        StructField("time", TimestampType()),
        StructField("second_time", TimestampType()),
        StructField("_position", ArrayType(LongType())),
        StructField("_ingested_at", TimestampType()),
    ]
)
Row = dict[str, Any]
ORDER = ("time", "second_time")


def row(
    value: str | None,
    time: str | None = "2026-10-01",
    *,
    key: str = "k",
    then: str | None = None,
    position: list[int] | None = None,
    read: str | None = None,
) -> Row:
    moments = {"time": time, "second_time": then, "_ingested_at": read}
    times = {name: at(moment) if moment else None for name, moment in moments.items()}
    return {"key": key, "value": value, "_position": position, **times}


def hashed(spark: SparkSession, rows: Sequence[Row]) -> Any:
    return frame(spark, rows, SCHEMA).withColumn("_hash", newest_wins.content_hash(COLUMNS))


def newest(spark: SparkSession, rows: Sequence[Row]) -> dict[str, Any]:
    """The value of each key's newest row."""
    found = collect(newest_wins.newest(hashed(spark, rows), COLUMNS, ["key"], ORDER))
    assert all({*COLUMNS, "_hash"} == set(each) for each in found)
    values = {each["key"]: each["value"] for each in found}
    assert len(values) == len(found), "one row of each key"
    return values


# Of each pair the second is the newer.
PAIRS = {
    "the source's time": (
        row("z", "2026-10-01", position=[9], read="2026-10-09"),
        row("a", "2026-10-02", position=[1]),
    ),
    "a microsecond": (row("z", "2026-10-01 00:00:00.000100"), row("a", "2026-10-01 00:00:00.000200")),
    "a time at all": (row("z", None, position=[9]), row("a", "1970-01-01")),
    "its second time": (row("z", then="2026-10-01", position=[9]), row("a", then="2026-10-02", position=[1])),
    "the source's position": (row("z", position=[5, 0, 9], read="2026-10-09"), row("a", position=[5, 1, 0])),
    "a longer position": (row("z", position=[9, 9]), row("a", position=[10, 0])),
    "a position at all": (row("z", read="2026-10-09"), row("a", position=[0])),
    "when it was read": (row("z", read="2026-10-02"), row("a", read="2026-10-02 00:00:00.000001")),
}


def test_newest_row_of_each_pair_wins_in_whatever_order_they_come(spark: SparkSession) -> None:
    rows = [
        {**each, "key": f"{kind}/{direction}"}
        for kind, pair in PAIRS.items()
        for direction, ordered in enumerate(permutations(pair))
        for each in ordered
    ]

    assert newest(spark, rows) == {f"{kind}/{direction}": "a" for kind in PAIRS for direction in (0, 1)}


def test_only_where_all_else_is_equal_the_content_decides_and_always_alike(spark: SparkSession) -> None:
    one, two = row("one"), row("two")

    assert newest(spark, [one, two]) == newest(spark, [two, one])


def test_value_that_returns_wins(spark: SparkSession) -> None:
    rows = [row("x", "2026-10-01"), row("y", "2026-10-02"), row("x", "2026-10-03")]

    assert newest(spark, rows) == {"k": "x"}


def undecided(
    spark: SparkSession, best: Sequence[Row], present: Sequence[Row], lost: Sequence[Row] = ()
) -> dict[str, Any]:
    """By key, the time from which on rows can be the newest."""
    new, held, gone = (hashed(spark, rows).select(*COLUMNS, "_hash") for rows in (best, present, lost))
    return {each["key"]: each["_since"] for each in collect(newest_wins.undecided(new, held, gone, ["key"], ORDER))}


@pytest.mark.parametrize(
    ("best", "lost", "since"),
    [
        pytest.param(row("new"), None, at("2026-10-01"), id="another content of the same time"),
        pytest.param(row("new", None), None, "decided", id="without a time"),
        pytest.param(row("held"), None, "decided", id="the same row"),
        pytest.param(row("new", "2026-10-02"), None, "decided", id="newer"),
        pytest.param(row("new", "2026-09-30"), None, "decided", id="older"),
        pytest.param(row("new", then="2026-10-02"), None, "decided", id="newer by its second time"),
        pytest.param(None, row("held"), None, id="the table's row is lost"),
        pytest.param(None, row("old", "2026-09-30"), "decided", id="another row is lost"),
        pytest.param(row("new"), row("held"), None, id="lost and another content of the same time"),
        pytest.param(row("new", key="k2"), row("held", key="k2"), "decided", id="a key that the table does not hold"),
    ],
)  # fmt: skip
def test_bronze_is_asked_exactly_where_the_table_can_not_tell(
    spark: SparkSession, best: Row | None, lost: Row | None, since: Any
) -> None:
    found = undecided(spark, [best] if best else [], [row("held")], [lost] if lost else [])

    assert found == ({} if since == "decided" else {"k": since})


def test_rows_without_any_time_are_of_the_same_time(spark: SparkSession) -> None:
    assert undecided(spark, [row("new", None)], [row("held", None)]) == {"k": None}


@pytest.mark.parametrize(("one", "two"), [("a", None), ("a", ""), ("", None), ('"', "'")])
def test_different_values_have_different_hashes(spark: SparkSession, one: str | None, two: str | None) -> None:
    found = frame(spark, [row(one), row(two)], SCHEMA).select(newest_wins.content_hash(COLUMNS))

    assert found.distinct().count() == 2


def test_hash_does_not_depend_on_the_order_of_columns(spark: SparkSession) -> None:
    rows = frame(spark, [row("a")], SCHEMA)

    assert rows.filter(newest_wins.content_hash(COLUMNS) == newest_wins.content_hash(COLUMNS[::-1])).count() == 1
