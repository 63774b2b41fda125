"""Quarantine and gate say the same of every row: the rules as Spark's columns, and by Great Expectations."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, DecimalType, StringType, StructType, TimestampType

from dq import patterns, rules, suite, validate
from dq.suite import Rule
from jobs.lake import tables
from jobs.lake.newest_wins import READ_AT
from tests.dq import great_expectations_says
from tests.jobs.lakehouse import frame, good_rows, schema_of

DRAWN = 60
LISTED = 200  # values that Great Expectations lists at most
# fmt: off
PIECES = [
    "", " ", "\0", "\t", "\n", "\r", "\r\n", "\x0b", "\x1c", "\x7f", "\x85", "\xa0", "\u2003", "\u200b", "\u2028",
    "\u2029", "\ufeff", "É", "é", "İ", "ß", "\u212a", "\uff21", "😀", "A", "EUR", "eur", "X", "$", "\\", "1", "NaN",
]
# fmt: on
PATTERN = "expect_column_values_to_match_regex"
SUITES = [table.name for table in tables.every() if table.layer != "bronze"]


def texts(good: list[str]) -> list[str | None]:
    """Good values, pieces, and both mixed; the same in each run."""
    drawing = random.Random(20226)
    mixed = ["".join(drawing.choices(PIECES + good, k=drawing.randint(1, 4))) for _ in range(DRAWN)]
    return [None, *good, *PIECES, *(value + piece for value in good[:1] for piece in PIECES), *mixed]


def others(kind: DataType) -> list[Any]:
    """Odd values of a type that is no text, as far as Python has them too."""
    if isinstance(kind, DateType):
        return [None, date.min, date(1999, 12, 31), date(2000, 1, 1), date(2099, 12, 31), date(2100, 1, 1), date.max]
    if isinstance(kind, TimestampType):
        return [None, *(datetime(year, 1, 1, tzinfo=UTC) for year in (2, 1969, 1970, 2000, 2026, 2100, 9998))]
    if isinstance(kind, DecimalType):
        cent = Decimal(1).scaleb(-kind.scale)
        large = Decimal(10) ** min(13, kind.precision - kind.scale - 1)
        return [None, -cent, Decimal("-0"), Decimal(0), cent, 10 - cent, Decimal(10), 10 + cent, large]
    return [None]


def odd_rows(table: str, schema: StructType) -> list[dict[str, Any]]:
    """Every odd value of every column, beside those of the others."""
    good = good_rows(table)
    values = {
        field.name: texts(sorted({row[field.name] for row in good if row.get(field.name)}))
        if isinstance(field.dataType, StringType)
        else others(field.dataType)
        for field in schema
    }
    longest = max(len(of_column) for of_column in values.values())
    return [{name: some[number % len(some)] for name, some in values.items()} for number in range(longest)]


def as_collected(value: Any) -> Any:
    """A value as Spark gives it to Python: times in the machine's own zone, without a zone in them."""
    return value.astimezone().replace(tzinfo=None) if isinstance(value, datetime) else value


@pytest.mark.parametrize("table", SUITES)
def test_quarantine_and_great_expectations_split_off_the_same_odd_rows(spark: SparkSession, table: str) -> None:
    schema = schema_of(table)
    odd = odd_rows(table, schema)
    assert len(odd) < LISTED
    given: list[Rule] = [
        rule for rule in suite.load(table).rules if validate.about_rows(rule) and "column" in rule.kwargs
    ]
    read_now = frame(spark, odd, schema).withColumn(READ_AT, F.current_timestamp())
    judged = read_now.coalesce(1).persist()

    broken = judged.select(*[(~rules.holds(rule)).alias(str(n)) for n, rule in enumerate(given)]).collect()
    by_number = great_expectations_says.of(judged, given, "COMPLETE")

    for number, rule in enumerate(given):
        column = rule.kwargs["column"]
        split_off = [row[column] for row, bad in zip(odd, broken, strict=True) if bad[number]]
        refused = by_number[number].result
        assert refused["unexpected_count"] == len(split_off), rule.name
        if rule.type != "expect_column_values_to_not_be_null":  # it lists no values: all of them are null
            assert Counter(refused["unexpected_list"]) == Counter(map(as_collected, split_off)), rule.name
        if rule.type == PATTERN:  # a person tries a pattern in Python
            in_python = [row[column] for row in odd if row[column] is not None
                         and not re.search(rule.kwargs["regex"], row[column])]  # fmt: skip
            assert Counter(in_python) == Counter(split_off), rule.name


def test_end_of_a_pattern_is_the_end_of_the_text_in_java_and_in_python(spark: SparkSession) -> None:
    pattern = f"^EUR{patterns.END}"
    ends = spark.createDataFrame([("EUR" + piece,) for piece in PIECES], "text string")

    found = {row["text"]: row["ends"] for row in ends.withColumn("ends", F.col("text").rlike(pattern)).collect()}

    assert found == {text: bool(re.search(pattern, text)) for text in found}
    assert [text for text, matches in found.items() if matches] == ["EUR"]
