"""Judges DataFrames by a suite, with Great Expectations on Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Any

import great_expectations as gx
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.registry import get_expectation_impl
from pyspark.sql import DataFrame

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
    """

    rule: Rule
    success: bool
    observed: dict[str, Any]
    error: str | None = None

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


def validate(suite: Suite, rows: DataFrame, whole: DataFrame) -> list[Judgement]:
    """Judges row rules on `rows`, which changed since they were judged last, and all other rules on `whole`.

    Great Expectations counts all rules of a frame in two aggregates. Doubled keys cost one grouping for each rule about
    them, and a rule that fails one aggregate and one look more, for its numbers.

    Raises:
        GateError: not every rule of the suite was judged.
    """
    if rows is whole:
        judged = _judge(whole, suite.rules)
    else:
        of_rows = [rule for rule in suite.rules if about_rows(rule)]
        of_whole = [rule for rule in suite.rules if not about_rows(rule)]
        judged = _judge(rows, of_rows) + _judge(whole, of_whole)
    if not judged or len(judged) != len(suite.rules):
        raise GateError(f"{suite.table}: {len(judged)} of {len(suite.rules)} expectations were evaluated")
    return judged


def _judge(frame: DataFrame, rules: Sequence[Rule]) -> list[Judgement]:
    """Judges all rules by whether they hold, then asks again for the numbers of those that failed."""
    numbered = dict(enumerate(rules))
    by_key = {index: keys for index, rule in numbered.items() if (keys := _doubled_keys(frame, rule)) is not None}
    results = _results(frame, {index: rule for index, rule in numbered.items() if index not in by_key}, "BOOLEAN_ONLY")
    for index, keys in by_key.items():
        results |= _results(keys, {index: NONE}, "BOOLEAN_ONLY")
    failed = {index: rules[index] for index, result in results.items() if not result.success}
    results |= _results(frame, failed, "BASIC")
    return [_judgement(rule, results[index]) for index, rule in numbered.items() if index in results]


def _doubled_keys(frame: DataFrame, rule: Rule) -> DataFrame | None:
    """The values that several rows have in the columns of a rule about uniqueness; None for any other rule.

    Great Expectations would number the rows of each value, and so sort the table. A key without any value is no key.
    """
    kwargs = rule.kwargs
    columns: list[str] = [kwargs.get("column", "")] if rule.type == _UNIQUE else kwargs.get("column_list", [])
    if rule.type not in _ABOUT_KEYS or len(kwargs) != 1 or not set(columns).issubset(frame.columns):
        return None
    some = reduce(or_, [frame[column].isNotNull() for column in columns])
    return frame.filter(some).groupBy(*columns).count().filter("count > 1")


def _results(frame: DataFrame, rules: Mapping[int, Rule], form: str) -> dict[int, Any]:
    """What Great Expectations says of each rule."""
    if not rules:
        return {}
    batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
    expectations = [
        get_expectation_impl(rule.type)(**rule.kwargs, severity=FailureSeverity(rule.severity), meta={"rule": index})
        for index, rule in rules.items()
    ]
    outcome = batch.validate(gx.ExpectationSuite(name="rules", expectations=expectations), result_format=form)
    return {result.expectation_config.meta["rule"]: result for result in outcome.results}


def _judgement(rule: Rule, result: Any) -> Judgement:
    raised = result.exception_info or {}
    # GX nests the information by metric when one metric of several raised.
    entries = [raised] if "raised_exception" in raised else list(raised.values())
    errors = [str(entry.get("exception_message")) for entry in entries if entry.get("raised_exception")]
    numbers = ("observed_value", "element_count", "unexpected_count", "unexpected_percent", "missing_count")
    observed = {key: result.result[key] for key in numbers if key in (result.result or {})}
    if "observed_value" in observed:  # what it was held against: an age means another date in each run
        observed |= {key: rule.kwargs[key] for key in ("min_value", "max_value") if key in rule.kwargs}
    return Judgement(rule, bool(result.success) and not errors, observed, "; ".join(errors) or None)


@cache
def _batch_definition() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return (
        context.data_sources.add_or_update_spark("lake", persist=False)
        .add_dataframe_asset("frame")
        .add_batch_definition_whole_dataframe("whole")
    )
