"""What results, logs and pages may show of a table's rows, by the class of the columns that it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dq.suite import Rule
from dq.validate import Judgement
from jobs.lake import table_module, tables
from jobs.lake.schema import SHOWN

# Of a column that may not be shown, such a figure says how many, and never what.
_COUNTS = re.compile(r"count|proportion")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def key_columns(table: str) -> tuple[str, ...]:
    """The table's key columns whose values may be shown."""
    hidden = _hidden(table)
    return tuple(name for name in tables.table(table).keys if name not in hidden)


def masked(table: str, judgements: Iterable[Judgement]) -> list[Judgement]:
    """The judgements without values of columns that may not be shown: a largest amount, a value in an error's text."""
    hidden = _hidden(table)
    return [_masked(judgement) if hidden & columns(judgement.rule) else judgement for judgement in judgements]


def columns(rule: Rule) -> set[str]:
    """The columns that a rule names."""
    named = [value for key, value in rule.kwargs.items() if key.startswith("column")]
    return {name for value in named for name in (value if isinstance(value, list | tuple) else [value])}


def _masked(judgement: Judgement) -> Judgement:
    observed: dict[str, Any] = dict(judgement.observed)
    if not _COUNTS.search(judgement.rule.type):
        observed.pop("observed_value", None)
    error = _QUOTED.sub("'…'", judgement.error) if judgement.error else judgement.error
    return replace(judgement, observed=observed, error=error)


def _hidden(table: str) -> set[str]:
    schema = table_module.load(tables.table(table)).SCHEMA
    return {field.name for field in schema if field.metadata.get("class") not in SHOWN}
