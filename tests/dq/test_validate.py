"""Judging DataFrames: what fails, what warns, and what could not be judged at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyspark.sql import SparkSession

from dq import freshness, suite, validate
from dq.suite import Rule
from jobs.lake import tables
from jobs.lake.errors import GateError
from tests.dq.judging import NOT_NULL, UNIQUE, judge, table
from tests.jobs.lakehouse import at, frame, good_rows, schema_of


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
