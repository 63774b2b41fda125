"""Row rules as Spark columns, which must judge as Great Expectations does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, DecimalType, StringType, StructField, StructType, TimestampType

from dq import rules, suite, validate
from dq.suite import Rule, Suite
from jobs.lake.errors import ConfigurationError
from tests.jobs.lakehouse import at, frame

SCHEMA = StructType(
    [StructField("text", StringType()), StructField("day", DateType()), StructField("amount", DecimalType(18, 2))]
)
GOOD: dict[str, Any] = {"text": "EUR", "day": date(2026, 10, 1), "amount": Decimal("1.00")}


def rule(kind: str, column: str, **kwargs: Any) -> Rule:
    return Rule(f"expect_column_values_to_{kind}", {"column": column, **kwargs}, "critical", quarantine=True)


CASES = [
    (rule("not_be_null", "text"), [{"text": None}], [{"text": ""}]),
    (rule("be_in_set", "text", value_set=["EUR", "USD"]), [{"text": "eur"}, {"text": ""}], [{}, {"text": None}]),
    (rule("match_regex", "text", regex="^[A-Z]{3}$"), [{"text": "EURO"}, {"text": "eur"}], [{}, {"text": None}]),
    (
        rule("be_between", "amount", min_value=0, max_value=10),
        [{"amount": Decimal("-0.01")}, {"amount": Decimal("10.01")}],
        [{"amount": Decimal("0")}, {"amount": Decimal("10")}, {"amount": None}],
    ),
    (
        rule("be_between", "amount", min_value=0, strict_min=True, max_value=10, strict_max=True),
        [{"amount": Decimal("0")}, {"amount": Decimal("10")}],
        [{"amount": Decimal("0.01")}, {"amount": Decimal("9.99")}, {"amount": None}],
    ),
    (
        rule("be_between", "day", min_value="2000-01-01", max_value="2099-12-31"),
        [{"day": date(1999, 12, 31)}, {"day": date(9999, 12, 31)}],
        [{"day": date(2000, 1, 1)}, {"day": date(2099, 12, 31)}, {"day": None}],
    ),
]


def is_broken(spark: SparkSession, given: Rule, rows: list[dict[str, Any]]) -> list[bool]:
    found = frame(spark, [{**GOOD, **row} for row in rows], SCHEMA).select(rules.holds(given).alias("holds"))
    return [row["holds"] is False for row in found.collect()]


@pytest.mark.parametrize(
    ("given", "bad", "good"), CASES, ids=[case[0].name + str(len(case[0].kwargs)) for case in CASES]
)
def test_rule_tells_broken_rows_from_good_ones(
    spark: SparkSession, given: Rule, bad: list[dict[str, Any]], good: list[dict[str, Any]]
) -> None:
    assert is_broken(spark, given, bad) == [True] * len(bad)
    assert is_broken(spark, given, good) == [False] * len(good)


def test_great_expectations_judges_the_same(spark: SparkSession) -> None:
    """One validation of all rules over the rows of all cases; what the rules say of each is the test above."""
    cases = [{**GOOD, **row} for _, bad, accepted in CASES for row in [*bad, *accepted]]
    given = tuple(rule for rule, _, _ in CASES)
    rows = frame(spark, cases, SCHEMA).coalesce(1).persist()
    broken = rows.select(*[F.count_if(~rules.holds(one)) for one in given]).collect()[0]

    judged = validate.validate(Suite("silver.x", given, "d"), rows, rows)

    assert [judgement.observed["unexpected_count"] for judgement in judged] == list(broken)
    assert all(broken)


def test_all_broken_rules_of_a_row_are_named_and_a_good_row_has_none(spark: SparkSession) -> None:
    given = Suite("silver.x", (rule("not_be_null", "text"), rule("be_between", "amount", min_value=0)), "d")
    rows = [GOOD, {**GOOD, "text": None, "amount": Decimal("-1")}, {**GOOD, "amount": Decimal("-1")}]

    found = frame(spark, rows, SCHEMA).select(rules.broken(given).alias("rule")).collect()

    assert [row["rule"] for row in found] == ["", "text not_be_null; amount be_between", "amount be_between"]


def test_rules_that_are_not_marked_split_nothing_off(spark: SparkSession) -> None:
    given = suite.parse(
        "silver.x",
        "expectations: [{type: expect_column_values_to_not_be_null, kwargs: {column: text}, severity: critical}]",
    )

    found = frame(spark, [{**GOOD, "text": None}], SCHEMA).select(rules.broken(given).alias("rule")).collect()

    assert [row["rule"] for row in found] == [""]


def test_expectation_about_more_than_one_row_may_not_be_marked() -> None:
    given = Rule("expect_column_values_to_be_unique", {"column": "text"}, "critical", quarantine=True)

    with pytest.raises(ConfigurationError, match="expect_column_values_to_be_unique can't be marked"):
        rules.holds(given)


@pytest.mark.parametrize("given", [
    rule("match_regex", "text", regex="^A", mostly=0.9),
    rule("be_between", "amount", minimum=0),
    rule("not_be_null", "text", row_condition="amount > 0", condition_parser="spark"),
], ids=["a share of rows", "a misspelt bound", "a condition"])  # fmt: skip
def test_argument_that_the_quarantine_would_not_obey_is_refused(given: Rule, spark: SparkSession) -> None:
    with pytest.raises(ConfigurationError, match="can't be marked `quarantine: true` with these arguments"):
        rules.holds(given)


def test_limit_relative_to_now_is_judged_by_when_the_row_was_read(spark: SparkSession) -> None:
    given = rule("be_between", "at", max_value={"$PARAMETER": "now() + timedelta(days=1)"})
    schema = StructType([StructField("at", TimestampType()), StructField("_ingested_at", TimestampType())])
    read, ahead = at("2020-10-01 08:00:00"), at("2020-10-02 08:00:00")
    late = datetime.now(UTC) + timedelta(days=3)
    rows = [{"at": value, "_ingested_at": read} for value in (read, ahead, None, ahead + timedelta(seconds=1), late)]
    made = frame(spark, rows, schema)

    found = made.select(rules.holds(given).alias("holds")).collect()

    assert [row["holds"] for row in found] == [True, True, True, False, False]
    (judged,) = validate.validate(Suite("silver.x", (given,), "d"), made, made)
    assert judged.observed["unexpected_count"] == 1  # the gate asks later: only what lies in the future still breaks it


@pytest.mark.parametrize("limit", ["now()", "now() * 2", "my_parameter", None])
def test_other_parameter_as_a_limit_is_refused(limit: str | None) -> None:
    with pytest.raises(ConfigurationError, match="is no limit"):
        rules.holds(rule("be_between", "at", max_value={"$PARAMETER": limit}))
