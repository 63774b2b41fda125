"""Judging DataFrames: what fails, what warns, and what could not be judged at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType

from dq import engine, freshness, rules, suite, validate
from dq.suite import Rule, Suite
from jobs.lake import tables
from jobs.lake.errors import GateError
from tests.dq import great_expectations_says
from tests.jobs.lakehouse import at, frame, good_rows, schema_of

SCHEMA = StructType([StructField("id", StringType()), StructField("n", IntegerType())])
NOT_NULL = "expect_column_values_to_not_be_null"
UNIQUE = "expect_column_values_to_be_unique"
BOTH_UNIQUE = "expect_compound_columns_to_be_unique"


def table(spark: SparkSession, *ids: str | None) -> DataFrame:
    return frame(spark, [{"id": id_, "n": number} for number, id_ in enumerate(ids)], SCHEMA)


def judge(rows: DataFrame, *rules: Rule, whole: DataFrame | None = None) -> list[validate.Judgement]:
    return validate.validate(Suite("silver.x", rules, "d"), rows, whole if whole is not None else rows)


def test_rules_that_hold_pass(spark: SparkSession) -> None:
    judged = judge(
        table(spark, "a", "b"), Rule(NOT_NULL, {"column": "id"}, "critical"), Rule(UNIQUE, {"column": "id"}, "critical")
    )

    assert [(j.success, j.critical, j.error) for j in judged] == [(True, False, None)] * 2


@pytest.mark.parametrize(("severity", "critical"), [("critical", True), ("warning", False), ("info", False)])
def test_severity_decides_what_a_failure_stops(spark: SparkSession, severity: str, critical: bool) -> None:
    (judged,) = judge(table(spark, "a", None), Rule(NOT_NULL, {"column": "id"}, severity))

    assert (judged.success, judged.critical) == (False, critical)
    assert (judged.observed["unexpected_count"], judged.observed["element_count"]) == (1, 2)


def test_failure_shows_counts_and_never_values(spark: SparkSession) -> None:
    rule = Rule("expect_column_values_to_be_in_set", {"column": "id", "value_set": ["a"]}, "critical")

    (judged,) = judge(table(spark, "a", "a private value"), rule)

    assert not judged.success
    assert "private" not in str(judged.record())


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_rule_that_could_not_be_judged_refuses_whatever_its_severity(spark: SparkSession, severity: str) -> None:
    judged = judge(
        table(spark, "a"), Rule(NOT_NULL, {"column": "nope"}, severity), Rule(NOT_NULL, {"column": "id"}, "critical")
    )

    assert [(j.success, j.critical) for j in judged] == [(False, True), (True, False)]
    assert "nope" in str(judged[0].error)


def test_suite_without_expectations_does_not_pass(spark: SparkSession) -> None:
    with pytest.raises(GateError, match=r"silver\.x: 0 of 0 expectations were evaluated"):
        judge(table(spark, "a"))


def test_suite_that_was_not_fully_evaluated_does_not_pass(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = validate._judge
    monkeypatch.setattr(validate, "_judge", lambda *given: judged(*given)[:1])

    with pytest.raises(GateError, match="1 of 2 expectations were evaluated"):
        judge(table(spark, "a"), *[Rule(NOT_NULL, {"column": name}, "critical") for name in ("id", "n")])


def test_row_rules_judge_the_changed_rows_and_the_others_the_whole_table(spark: SparkSession) -> None:
    changed, whole = table(spark, "b"), table(spark, "b", "b", None)

    judged = judge(
        changed,
        Rule(NOT_NULL, {"column": "id"}, "critical"),
        Rule(UNIQUE, {"column": "id"}, "critical"),
        Rule("expect_table_row_count_to_be_between", {"min_value": 3}, "critical"),
        whole=whole,
    )

    assert {j.rule.type: j.success for j in judged} == {
        NOT_NULL: True,
        UNIQUE: False,
        "expect_table_row_count_to_be_between": True,
    }


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


ABOUT_PEOPLE = StructType([*SCHEMA, StructField("name", StringType())])
IN_SET = "expect_column_values_to_be_in_set"
EQUAL = Rule("expect_column_pair_values_to_be_equal", {"column_A": "id", "column_B": "name"}, "warning")
MOSTLY = Rule(NOT_NULL, {"column": "name", "mostly": 0.9}, "warning")


@pytest.mark.parametrize(
    ("rule", "shown", "keys"),
    [
        (Rule(NOT_NULL, {"column": "name"}, "warning"), ["id"], [{"id": "b"}, {"id": None}]),
        (Rule(NOT_NULL, {"column": "name"}, "warning"), ["id", "n"], [{"id": "b", "n": "1"}, {"id": None, "n": "9"}]),
        (Rule(IN_SET, {"column": "name", "value_set": ["x"]}, "critical"), ["id"], [{"id": "a"}]),
        (Rule("expect_column_values_to_match_regex", {"column": "name", "regex": "^x"}, "info"), ["id"], [{"id": "a"}]),
        (EQUAL, ["id"], []),
        (MOSTLY, ["id"], []),
        (Rule(UNIQUE, {"column": "n"}, "critical"), ["n"], [{"n": "9"}]),
        (Rule(BOTH_UNIQUE, {"column_list": ["n", "part"]}, "critical"), ["n"], [{"n": "9"}]),
        (Rule("expect_table_row_count_to_equal", {"value": 1}, "critical"), ["id"], []),
        (Rule(NOT_NULL, {"column": "name"}, "warning"), [], []),
        (Rule(NOT_NULL, {"column": "name"}, "warning"), ["no_column"], []),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else None,
)  # fmt: skip
def test_failed_rule_has_keys_of_rows_that_break_it_and_no_other_value(
    spark: SparkSession, rule: Rule, shown: list[str], keys: list[dict[str, str | None]]
) -> None:
    schema = StructType([*ABOUT_PEOPLE, StructField("part", StringType())])
    people = [("a", 0, "a private name"), ("b", 1, None), (None, 9, None), ("d", 9, "x")]
    rows = frame(spark, [{"id": id_, "n": n, "name": name, "part": "p"} for id_, n, name in people], schema)

    (judged,) = validate.validate(Suite("silver.x", (rule,), "d"), rows, rows, shown)

    assert sorted(judged.examples, key=str) == sorted(keys, key=str)
    assert judged.error is None
    assert "private" not in str(judged.record())


def test_examples_are_five_at_most_short_and_each_once(spark: SparkSession) -> None:
    rule = Rule(NOT_NULL, {"column": "name"}, "warning")
    rows = frame(spark, [{"id": f"{number:0200}", "n": 1} for number in range(9)], ABOUT_PEOPLE)

    (long,) = validate.validate(Suite("silver.x", (rule,), "d"), rows, rows, ["id"])
    (equal,) = validate.validate(Suite("silver.x", (rule,), "d"), rows, rows, ["n"])

    assert [len(example["id"] or "") for example in long.examples] == [100]
    assert equal.examples == ({"n": "1"},)
    assert long.observed["unexpected_count"] == 9


def test_examples_that_can_not_be_had_change_no_verdict(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(rule: Rule) -> Column:
        raise RuntimeError("no examples today")

    monkeypatch.setattr(rules, "holds", fail)
    (judged,) = validate.validate(
        Suite("silver.x", (Rule(NOT_NULL, {"column": "id"}, "warning"),), "d"), *[table(spark, "a", None)] * 2, ["n"]
    )

    assert (judged.critical, judged.error, judged.examples) == (False, None, ())


def test_empty_rows_keep_every_row_rule(spark: SparkSession) -> None:
    (judged,) = judge(table(spark), Rule(NOT_NULL, {"column": "id"}, "critical"))

    assert judged.success


@pytest.mark.parametrize("name", [table.name for table in tables.every() if table.layer != "bronze"])
def test_suites_hold_for_good_rows_and_refuse_an_empty_table(spark: SparkSession, name: str) -> None:
    """Every expectation of every suite really runs: none ends in an engine error."""
    rows = frame(spark, good_rows(name), schema_of(name))
    given = suite.load(name)
    oldest = at("2026-10-02")  # of the good rows
    rules = [freshness.at(rule, rows.schema, oldest) if rule.age else rule for rule in given.rules]
    given = replace(given, rules=tuple(rules))
    judged = validate.validate(given, rows, rows)
    assert [(j.rule.name, j.observed, j.error) for j in judged if not j.success] == []

    empty = rows.limit(0)
    assert any(j.critical and j.error is None for j in validate.validate(given, empty, empty))
