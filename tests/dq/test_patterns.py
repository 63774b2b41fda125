"""A rule's pattern must not let a line end pass, and must be one that Java and Python read alike."""

from __future__ import annotations

import re

import pytest
from pyspark.sql.types import StringType

from dq import patterns, suite
from jobs.lake import tables
from jobs.lake.errors import ConfigurationError
from tests.jobs.lakehouse import schema_of

RULE = "expectations: [{type: expect_column_values_to_%s, kwargs: {column: c, %s}, severity: critical}]"


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("^[A-Z]{3}$", "line end"),
        ("^(a|b$)", "line end"),
        (r"a\\$", "line end"),
        (r"[$]$", "line end"),
        (r"[]]$", "line end"),
        (r"[^]$]$", "line end"),
        (r"^[A-Z]\Z", "line end"),
        (r"^[A-Z]\z", "not known"),
        ("(?m)^a", "the flag m"),
        ("(?im:^a)", "the flag m"),
        ("^[a-z&&[^x]]", "Java and Python"),
        ("^(a", "Java and Python"),
        (r"\Qa\E", "Java and Python"),
    ],
)
def test_pattern_that_says_something_else_than_it_seems_to_is_refused_when_the_suite_is_loaded(
    pattern: str, word: str
) -> None:
    quoted = "'" + pattern.replace("'", "''") + "'"
    for rule in (("match_regex", f"regex: {quoted}"), ("not_match_regex_list", f"regex_list: [a, {quoted}]")):
        with pytest.raises(ConfigurationError, match=r"the suite of silver\.x: expect_column_values_to_") as caught:
            suite.parse("silver.x", RULE % rule)
        assert word in str(caught.value)


@pytest.mark.parametrize("pattern", [r"^\$[0-9]+", "^[$€]", r"^[\]$]", "(?i)^eur", "^X", "a" + patterns.END, ""])
def test_dollar_as_a_character_and_other_patterns_are_kept(pattern: str) -> None:
    assert patterns.fault(pattern) is None


def test_pattern_that_yaml_took_for_a_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="int, not a text"):
        suite.parse("silver.x", RULE % ("match_regex", "regex: 12"))


def key_columns() -> list[tuple[str, str]]:
    """The columns of text by which rows of silver are told apart, and those by which gold knows them."""
    silver = [(table.name, key) for table in tables.layer("silver") for key in table.keys]
    gold = [(source, name) for table in tables.layer("gold") for source, *names in table.key_sources for name in names]
    found = [(table, name) for table, name in dict.fromkeys([*silver, *gold]) if table.startswith("silver.")]
    return [(table, name) for table, name in found if schema_of(table)[name].dataType == StringType()]


@pytest.mark.parametrize("column", key_columns(), ids=".".join)
def test_blank_keys_and_those_with_blanks_or_control_characters_are_split_off(column: tuple[str, str]) -> None:
    """Newest-wins takes rows of equal keys for one row, and gold joins by them."""
    table, name = column
    patterns_of_key = [
        rule.kwargs["regex"]
        for rule in suite.load(table).row_rules
        if rule.kwargs["column"] == name and rule.type == "expect_column_values_to_match_regex"
    ]

    def is_good(text: str) -> bool:
        return bool(patterns_of_key) and all(re.search(pattern, text) for pattern in patterns_of_key)

    good = {"ccy": "EUR", "id": "001000000000001AAA"}.get(name, "ORD-1 é")
    assert is_good(good)
    edges = ["\0", " ", "\t", "\n", "\r", "\r\n", "\x0b", "\x1f", "\x7f", "\x85", "\xa0", "\u2003", "\u200b",
             "\u2028", "\u2029", "\u3000", "\ufeff"]  # fmt: skip
    inside = ["\0", "\n", "\r", "\x85"]
    bad = ["", *edges, *(edge + good for edge in edges), *(good + edge for edge in edges)]
    bad += [good[:2] + character + good[2:] for character in inside]
    assert [text for text in bad if is_good(text)] == []
