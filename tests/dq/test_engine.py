"""What is computed for the rules: the numbers of Great Expectations, in few passes, of few columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from dq import engine, validate
from dq.suite import Rule, Suite
from tests.dq import great_expectations_says
from tests.dq.judging import BOTH_UNIQUE, NOT_NULL, UNIQUE, judge, table
from tests.jobs.lakehouse import frame

KEYS = StructType([StructField("a", DoubleType()), StructField("b", StringType())])
NAN = float("nan")


@pytest.mark.slow
@pytest.mark.parametrize(
    "keys",
    [
        [],
        [(1.0, "x"), (2.0, "x")],
        [(1.0, "x"), (1.0, "x")],
        [(None, None), (None, None)],
        [(None, "x"), (None, "x")],
        [(None, "x"), (None, "y")],
        [(1.0, None), (1.0, None)],
        [(NAN, "x"), (NAN, "x")],
        [(NAN, None), (NAN, None)],
        [(0.0, "x"), (-0.0, "x")],
        [(1.0, "x"), (1.0, "X"), (1.0, "x ")],
    ],
)
@pytest.mark.parametrize(
    "rule",
    [
        Rule(UNIQUE, {"column": "a"}, "critical"),
        Rule(UNIQUE, {"column": "b"}, "critical"),
        Rule(BOTH_UNIQUE, {"column_list": ["a", "b"]}, "critical"),
    ],
    ids=lambda rule: rule.name,
)
def test_grouping_by_key_finds_what_great_expectations_finds(
    spark: SparkSession, keys: list[tuple[float | None, str | None]], rule: Rule
) -> None:
    rows = frame(spark, [{"a": a, "b": b} for a, b in keys], KEYS)

    doubled = validate._doubled_keys(rows, rule)

    assert doubled is not None
    assert (doubled.count() == 0) == great_expectations_says.of(rows, [rule], "BOOLEAN_ONLY")[0].success


COUNTED = [
    Rule(NOT_NULL, {"column": "b"}, "critical"),
    Rule("expect_column_values_to_be_null", {"column": "a"}, "warning"),
    Rule("expect_column_values_to_be_in_set", {"column": "b", "value_set": ["x"]}, "critical"),
    Rule("expect_column_values_to_be_in_set", {"column": "b", "value_set": ["x"], "mostly": 0.4}, "critical"),
    Rule("expect_column_values_to_match_regex", {"column": "b", "regex": "^x"}, "info"),
    Rule("expect_column_values_to_be_between", {"column": "a", "max_value": 1}, "critical"),
    Rule("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "a"}, "critical"),
    Rule("expect_column_max_to_be_between", {"column": "a", "max_value": 1}, "critical"),
    Rule("expect_table_row_count_to_be_between", {"max_value": 2}, "critical"),
    Rule("expect_table_columns_to_match_set", {"column_set": ["a"]}, "critical"),
    Rule(UNIQUE, {"column": "a"}, "critical"),
    Rule(UNIQUE, {"column": "b", "mostly": 0.1}, "critical"),
    Rule(BOTH_UNIQUE, {"column_list": ["a", "b"]}, "critical"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "keys",
    [
        [(1.0, "x"), (1.0, "x"), (2.0, "y"), (None, "z"), (None, None)],
        [(1.0, "x")],
        [(None, None), (None, None), (3.0, None)],
    ],
)
def test_numbers_of_failed_rules_are_those_of_great_expectations(
    spark: SparkSession, keys: list[tuple[float | None, str | None]]
) -> None:
    rows = frame(spark, [{"a": a, "b": b} for a, b in keys], KEYS)

    judged = judge(rows, *COUNTED)

    theirs = great_expectations_says.of(rows, COUNTED, "BASIC")
    assert {j.rule.name: (j.success, j.error) for j in judged} == {
        rule.name: (said.success, None) for rule, said in zip(COUNTED, theirs, strict=True)
    }
    for ours, said in zip(judged, theirs, strict=True):
        bounds = {"min_value", "max_value"}
        numbers = {key: value for key, value in ours.observed.items() if key not in bounds}
        expected = {key: said.result[key] for key in engine.NUMBERS if key in said.result}
        assert numbers == ({} if said.success else expected), ours.rule.name


@pytest.mark.parametrize(
    "rule",
    [
        Rule(NOT_NULL, {"column": "id"}, "critical"),
        Rule(UNIQUE, {"column": "nope"}, "critical"),
        Rule(UNIQUE, {"column": "id", "mostly": 0.5}, "critical"),
        Rule(BOTH_UNIQUE, {"column_list": ["id", "n"], "ignore_row_if": "never"}, "critical"),
    ],
    ids=lambda rule: rule.name,
)
def test_other_rules_are_left_to_great_expectations(spark: SparkSession, rule: Rule) -> None:
    assert validate._doubled_keys(table(spark, "a"), rule) is None


def test_doubled_key_is_reported_with_its_rows(spark: SparkSession) -> None:
    (judged,) = judge(table(spark, "a", "a", "b", None), Rule(UNIQUE, {"column": "id"}, "critical"))

    assert (judged.critical, judged.error) == (True, None)
    assert (judged.observed["unexpected_count"], judged.observed["element_count"]) == (2, 4)


@pytest.mark.parametrize(("same", "jobs"), [(True, 3), (False, 4)])
def test_more_rules_cost_no_more_passes(spark: SparkSession, same: bool, jobs: int) -> None:
    """Two aggregates for a frame, and a grouping for each key."""
    rows = table(spark, "a", "b").persist()
    whole = rows if same else table(spark, "a", "b").persist()
    few = [Rule(NOT_NULL, {"column": "id"}, "critical"), Rule(UNIQUE, {"column": "id"}, "critical")]
    bounds = [
        Rule("expect_column_values_to_be_between", {"column": "n", "max_value": n}, "critical") for n in range(2, 9)
    ]

    assert _jobs(spark, lambda: judge(rows, *few, *bounds[:1], VOLUME, whole=whole)) == jobs
    assert _jobs(spark, lambda: judge(rows, *few, *bounds, VOLUME, whole=whole)) == jobs


VOLUME = Rule("expect_table_row_count_to_be_between", {"min_value": 1}, "critical")
OF_COLUMNS = Rule("expect_table_columns_to_match_set", {"column_set": ["id"]}, "critical")
PAIR = Rule("expect_column_pair_values_to_be_equal", {"column_A": "id", "column_B": "n"}, "critical")
OLDEST = Rule("expect_column_max_to_be_between", {"column": "day", "min_value": 1}, "critical")


@pytest.mark.parametrize(
    ("rules", "columns"),
    [
        ([VOLUME], set()),
        ([VOLUME, PAIR, Rule(NOT_NULL, {"column": "n"}, "critical")], set()),
        ([VOLUME, OLDEST, Rule(UNIQUE, {"column": "id"}, "critical")], {"day", "id"}),
        ([Rule(BOTH_UNIQUE, {"column_list": ["id", "n"]}, "critical")], {"id", "n"}),
        ([VOLUME, OF_COLUMNS], None),
    ],
)
def test_columns_that_rules_about_the_whole_table_read(rules: list[Rule], columns: set[str] | None) -> None:
    assert validate.columns_of_whole(Suite("gold.x", tuple(rules), "d")) == columns


def _jobs(spark: SparkSession, work: Callable[[], object]) -> int:
    """Spark jobs that something starts."""
    scheduler = spark.sparkContext._jsc.sc().dagScheduler()
    before = int(str(scheduler.nextJobId()))
    work()
    return int(str(scheduler.nextJobId())) - before
