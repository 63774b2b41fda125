"""Suites are read strictly: a typo must not switch a rule off."""

from __future__ import annotations

import pytest

from dq import suite
from jobs.lake.errors import ConfigurationError

RULE = "{type: expect_column_values_to_not_be_null, kwargs: {column: id}, severity: critical, why: because}"


def test_rule_is_read_as_written() -> None:
    (rule,) = suite.parse("silver.x", f"expectations: [{RULE}]").rules

    assert rule == suite.Rule("expect_column_values_to_not_be_null", {"column": "id"}, "critical", why="because")
    assert rule.name == "id not_be_null"


def test_rule_over_several_columns_names_them_all() -> None:
    pair = suite.Rule("expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b"}, "info")

    assert pair.name == "a b column_pair_values_to_be_equal"


@pytest.mark.parametrize("text", ["", "expectations: []", "expectations:", "[]", "rules: [1]"])
def test_suite_without_expectations_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"silver\.x has no expectations: a gate needs at least one rule"):
        suite.parse("silver.x", text)


@pytest.mark.parametrize(
    "entry",
    [
        "{type: expect_x, kwargs: {}, severity: fatal}",
        "{type: expect_x, kwargs: {}}",
        "{kwargs: {column: id}, severity: critical}",
        "{type: expect_x, kwargs: {}, severity: critical, quarantined: true}",
        "{type: expect_x, kwargs: {}, severity: critical, mostly: 0.9}",
    ],
    ids=["unknown severity", "no severity", "no type", "misspelt field", "field in the wrong place"],
)
def test_rule_that_is_not_well_formed_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError, match=r"the suite of silver\.x"):
        suite.parse("silver.x", f"expectations: [{RULE}, {entry}]")


def test_error_for_a_table_without_a_suite_says_where_to_write_one() -> None:
    with pytest.raises(ConfigurationError, match=r"write dq/suites/silver/nothing\.yaml"):
        suite.load("silver.nothing")


def test_digest_changes_with_the_rules_and_not_with_comments() -> None:
    first = suite.parse("silver.x", f"expectations: [{RULE}]").digest

    assert suite.parse("silver.x", f"# a comment\nexpectations:\n  - {RULE}\n").digest == first
    assert suite.parse("silver.x", f"expectations: [{RULE.replace('critical', 'warning')}]").digest != first
