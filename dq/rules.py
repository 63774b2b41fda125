"""Turns row rules into Spark columns, so that the pass that reads rows also splits off the bad ones.

A null value breaks only `not_be_null`, as in Great Expectations. A limit may be relative to now, as Great Expectations
has it: `{$PARAMETER: "now() + timedelta(days=1)"}`. For a row, now is when it was read, so that a rebuilt table has the
same rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from dq.suite import Rule, Suite
from jobs.lake.errors import ConfigurationError
from jobs.lake.newest_wins import READ_AT

_BY_NOW = re.compile(r"now\(\) ([+-]) timedelta\((days|hours)=(\d+)\)")


def _between(
    value: Column, min_value: Any = None, max_value: Any = None, strict_min: bool = False, strict_max: bool = False
) -> Column:
    holds = F.lit(True)
    if min_value is not None:
        holds &= (value > _limit(min_value)) if strict_min else (value >= _limit(min_value))
    if max_value is not None:
        holds &= (value < _limit(max_value)) if strict_max else (value <= _limit(max_value))
    return holds


def _limit(given: Any) -> Column:
    if not isinstance(given, dict):
        return F.lit(given)
    found = _BY_NOW.fullmatch(str(given.get("$PARAMETER")))
    if found is None:
        raise ConfigurationError(f"{given} is no limit: write a value, or $PARAMETER: 'now() + timedelta(days=1)'")
    sign, unit, number = found.groups()
    return F.col(READ_AT) + F.expr(f"INTERVAL {sign}{number} {unit}")


# Each expectation with its arguments, besides `column`.
_HOLDS: dict[str, Callable[..., Column]] = {
    "expect_column_values_to_not_be_null": lambda value: value.isNotNull(),
    "expect_column_values_to_be_in_set": lambda value, value_set: value.isNull() | value.isin(list(value_set)),
    "expect_column_values_to_match_regex": lambda value, regex: value.isNull() | value.rlike(regex),
    "expect_column_values_to_not_match_regex": lambda value, regex: value.isNull() | ~value.rlike(regex),
    "expect_column_values_to_be_between": lambda value, **bounds: value.isNull() | _between(value, **bounds),
}


def holds(rule: Rule) -> Column:
    """True where a row keeps the rule; never null.

    Raises:
        ConfigurationError: the expectation can't be judged row by row, or has arguments that would not be obeyed.
    """
    if rule.type not in _HOLDS:
        raise ConfigurationError(
            f"{rule.type} can't be marked `quarantine: true`: only {', '.join(sorted(_HOLDS))} are judged by row"
        )
    kwargs = {name: value for name, value in rule.kwargs.items() if name != "column"}
    try:
        return _HOLDS[rule.type](F.col(rule.kwargs["column"]), **kwargs)
    except TypeError as error:
        raise ConfigurationError(
            f"{rule.name} can't be marked `quarantine: true` with these arguments ({error}): leave out those that are "
            "not about a single row"
        ) from error


def broken(suite: Suite) -> Column:
    """Names of the row rules that a row breaks, joined by `; `; empty for a good row."""
    names = [F.when(~holds(rule), F.lit(rule.name)) for rule in suite.row_rules]
    return F.concat_ws("; ", *names) if names else F.lit("")
