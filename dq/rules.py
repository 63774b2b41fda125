"""Turns row rules into Spark columns, so that the pass that reads rows also splits off the bad ones.

A null value breaks only `not_be_null`, as in Great Expectations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from dq.suite import Rule, Suite
from jobs.lake.errors import ConfigurationError


def _between(value: Column, low: Any, high: Any, strict_low: bool = False, strict_high: bool = False) -> Column:
    holds = F.lit(True)
    if low is not None:
        holds &= (value > F.lit(low)) if strict_low else (value >= F.lit(low))
    if high is not None:
        holds &= (value < F.lit(high)) if strict_high else (value <= F.lit(high))
    return holds


_HOLDS: dict[str, Callable[[Column, dict[str, Any]], Column]] = {
    "expect_column_values_to_not_be_null": lambda value, _: value.isNotNull(),
    "expect_column_values_to_be_in_set": lambda value, k: value.isNull() | value.isin(list(k["value_set"])),
    "expect_column_values_to_match_regex": lambda value, k: value.isNull() | value.rlike(k["regex"]),
    "expect_column_values_to_be_between": lambda value, k: (
        value.isNull()
        | _between(
            value, k.get("min_value"), k.get("max_value"), k.get("strict_min", False), k.get("strict_max", False)
        )
    ),
}


def holds(rule: Rule) -> Column:
    """True where a row keeps the rule; never null.

    Raises:
        ConfigurationError: the expectation can't be judged row by row.
    """
    if rule.type not in _HOLDS:
        raise ConfigurationError(
            f"{rule.type} can't be marked `quarantine: true`: only {', '.join(sorted(_HOLDS))} are judged by row"
        )
    return _HOLDS[rule.type](F.col(rule.kwargs["column"]), rule.kwargs)


def broken(suite: Suite) -> Column:
    """Names of the row rules that a row breaks, joined by `; `; empty for a good row."""
    names = [F.when(~holds(rule), F.lit(rule.name)) for rule in suite.row_rules]
    return F.concat_ws("; ", *names) if names else F.lit("")
