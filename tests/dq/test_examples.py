"""Examples of rows that break a rule: their keys, few of them, and no other value."""

from __future__ import annotations

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from dq import rules, validate
from dq.suite import Rule, Suite
from tests.dq.judging import BOTH_UNIQUE, NOT_NULL, SCHEMA, UNIQUE, table
from tests.jobs.lakehouse import frame

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
    suite, rows = Suite("silver.x", (Rule(NOT_NULL, {"column": "id"}, "warning"),), "d"), table(spark, "a", None)
    (judged,) = validate.validate(suite, rows, rows, ["n"])

    assert (judged.critical, judged.error, judged.examples) == (False, None, ())
