"""Judges DataFrames by a suite, with Great Expectations on Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dq import engine
from dq.engine import Outcome
from dq.examples import Keys, keys_of
from dq.suite import Rule, Suite
from jobs.lake.errors import GateError

# Expectations about single rows can be judged on changed rows only. The two about keys need the whole table.
_ABOUT_ROWS = ("expect_column_values_", "expect_column_pair_values_")
_UNIQUE = "expect_column_values_to_be_unique"
_ABOUT_KEYS = (_UNIQUE, "expect_compound_columns_to_be_unique")
NONE = Rule("expect_table_row_count_to_equal", {"value": 0}, "critical")


@dataclass(frozen=True)
class Judgement:
    """One rule's outcome.

    Attributes:
        rule: the rule.
        success: it holds.
        observed: what was seen, as counts and aggregates, never as values of rows.
        error: text of an engine error: a rule that could not be judged has not passed.
        examples: keys of rows that break it, five at most, of columns whose values may be shown.
    """

    rule: Rule
    success: bool
    observed: dict[str, Any]
    error: str | None = None
    examples: Keys = ()

    @property
    def failed(self) -> bool:
        """It was judged, and does not hold."""
        return not self.success and self.error is None

    @property
    def critical(self) -> bool:
        """Whether a critical rule failed, or a rule of any severity could not be judged."""
        return self.error is not None or (not self.success and self.rule.severity == "critical")

    def record(self) -> dict[str, Any]:
        """The judgement as it is written to result files."""
        return {
            "expectation": self.rule.type,
            "rule": self.rule.name,
            "kwargs": self.rule.kwargs,
            "severity": self.rule.severity,
            "success": self.success,
            "observed": self.observed,
            "error": self.error,
            "why": self.rule.why,
            "examples": list(self.examples),
        }


def about_rows(rule: Rule) -> bool:
    """True for rules that each row keeps or breaks on its own."""
    return rule.type.startswith(_ABOUT_ROWS) and rule.type not in _ABOUT_KEYS


def columns_of_whole(suite: Suite) -> set[str] | None:
    """The columns that rules about the whole table read; None if that is not known."""
    found: set[str] = set()
    for rule in suite.rules:
        named = {*rule.kwargs.get("column_list", []), rule.kwargs.get("column", "")} - {""}
        if not about_rows(rule) and not named and not rule.type.startswith("expect_table_row_count_"):
            return None
        found |= set() if about_rows(rule) else named
    return found


def validate(suite: Suite, rows: DataFrame, whole: DataFrame, shown: Sequence[str] = ()) -> list[Judgement]:
    """Judges row rules on `rows`, which changed since they were judged last, and all other rules on `whole`.

    Great Expectations counts all rules of a frame in two aggregates. Doubled keys cost one grouping for each rule about
    them, and one count more where there are some. Examples of a rule that fails cost one look more.

    Args:
        suite: the rules.
        rows: for rules about single rows.
        whole: for all other rules.
        shown: the key columns whose values may be shown, in examples of rows that break a rule.

    Raises:
        GateError: not every rule of the suite was judged.
    """
    if rows is whole:
        judged = _judge(whole, suite.rules, shown)
    else:
        of_rows = [rule for rule in suite.rules if about_rows(rule)]
        of_whole = [rule for rule in suite.rules if not about_rows(rule)]
        judged = _judge(rows, of_rows, shown) + _judge(whole, of_whole, shown)
    if not judged or len(judged) != len(suite.rules):
        raise GateError(f"{suite.table}: {len(judged)} of {len(suite.rules)} expectations were evaluated")
    return judged


def _judge(frame: DataFrame, rules: Sequence[Rule], shown: Sequence[str]) -> list[Judgement]:
    """Judges all rules of a frame. Those about keys have frames of their own."""
    numbered = dict(enumerate(rules))
    by_key = {index: some for index, rule in numbered.items() if (some := _doubled_keys(frame, rule)) is not None}
    found = engine.outcomes(frame, {index: rule for index, rule in numbered.items() if index not in by_key})
    for index, doubled in by_key.items():
        found[index] = _outcome_of_keys(frame, doubled)
    judged = {index: _judgement(rule, found[index]) for index, rule in numbered.items() if index in found}
    keys = {n: keys_of(frame, one.rule, by_key.get(n), shown) for n, one in judged.items() if one.failed}
    return [replace(one, examples=keys.get(n, ())) for n, one in judged.items()]


def _outcome_of_keys(frame: DataFrame, keys: DataFrame) -> Outcome:
    """What Great Expectations would say of the rule: it counts each row of a doubled key."""
    doubled = keys.persist()
    try:
        (outcome,) = engine.outcomes(doubled, {0: NONE}).values()
        if outcome.success or outcome.error:
            return outcome
        number = doubled.agg(F.sum("count")).collect()[0][0]
        every, with_key = frame.agg(F.count(F.lit(1)), F.count_if(_some(frame, doubled.columns[:-1]))).collect()[0]
    finally:
        doubled.unpersist()
    counts = {"element_count": every, "unexpected_count": number, "missing_count": every - with_key}
    return Outcome(False, {**counts, "unexpected_percent": number / with_key * 100})


def _doubled_keys(frame: DataFrame, rule: Rule) -> DataFrame | None:
    """The values that several rows have in the columns of a rule about uniqueness; None for any other rule.

    Great Expectations would number the rows of each value, and so sort the table. A key without any value is no key.
    """
    kwargs = rule.kwargs
    columns: list[str] = [kwargs.get("column", "")] if rule.type == _UNIQUE else kwargs.get("column_list", [])
    if rule.type not in _ABOUT_KEYS or len(kwargs) != 1 or not set(columns).issubset(frame.columns):
        return None
    return frame.filter(_some(frame, columns)).groupBy(*columns).count().filter("count > 1")


def _some(frame: DataFrame, columns: Sequence[str]) -> Column:
    return reduce(or_, [frame[column].isNotNull() for column in columns])


def _judgement(rule: Rule, found: Outcome) -> Judgement:
    observed = {} if found.success else dict(found.numbers)
    if "observed_value" in observed:  # what it was held against: an age means another date in each run
        observed |= {key: rule.kwargs[key] for key in ("min_value", "max_value") if key in rule.kwargs}
    return Judgement(rule, found.success, observed, found.error)
