"""A table's rules: `dq/suites/<layer>/<table>.yaml`, in Great Expectations' own vocabulary."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from dq import patterns
from jobs.lake.errors import ConfigurationError

SEVERITIES = ("critical", "warning", "info")
# What `min_value` of a column's maximum may be instead of a value: the oldest that the newest row may be.
AGED, AGES = "expect_column_max_to_be_between", ("days_ago", "target_days_ago")


@dataclass(frozen=True)
class Rule:
    """One expectation.

    Attributes:
        type: an expectation type of Great Expectations, `expect_…`.
        kwargs: its arguments.
        severity: `critical` stops the run, `warning` alerts, `info` is recorded.
        quarantine: rows that break it are split off before silver is written.
        why: what breaks when it does not hold; shown to the person on call.
    """

    type: str
    kwargs: dict[str, Any]
    severity: str
    quarantine: bool = False
    why: str = ""

    @property
    def name(self) -> str:
        """`order_id not_be_null`: short, and the same in quarantine, results and alerts."""
        short = self.type.removeprefix("expect_").removeprefix("column_values_to_")
        columns = [str(value) for key, value in self.kwargs.items() if key.startswith("column")]
        return " ".join([*columns, short])

    @property
    def age(self) -> tuple[str, int] | None:
        """How old the table's newest row may be: one of `AGES` and a number; None for a rule about something else."""
        given = self.kwargs.get("min_value")
        return next(iter(given.items())) if isinstance(given, dict) else None


@dataclass(frozen=True)
class Quarantine:
    """How many rows may be split off before the gate closes.

    Attributes:
        max_share: share of the rows that were read, 0 to 1.
        share_from_rows: the share counts only if at least so many rows were read: one bad row of three is not a flood.
        max_rows: the most rows in any case.
    """

    max_share: float = 0.05
    share_from_rows: int = 20
    max_rows: int = 10_000


@dataclass(frozen=True)
class Suite:
    """All rules of a table.

    Attributes:
        table: registry name.
        rules: in file order.
        digest: hash of the content: under a changed suite, all rows are judged again.
        quarantine: thresholds; None if no rule splits rows off.
    """

    table: str
    rules: tuple[Rule, ...]
    digest: str
    quarantine: Quarantine | None = None

    @property
    def row_rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.quarantine)


def load(table: str) -> Suite:
    """The suite of a registered table.

    Raises:
        ConfigurationError: the file is missing, empty, or a rule is not well-formed.
    """
    layer, _, short = table.partition(".")
    file = resources.files("dq") / "suites" / layer / f"{short}.yaml"
    if not file.is_file():
        raise ConfigurationError(f"{table} has no suite: write dq/suites/{layer}/{short}.yaml")
    return parse(table, file.read_text())


def parse(table: str, text: str) -> Suite:
    """A suite from YAML text; raises as `load` does."""
    content = yaml.safe_load(text)
    if not isinstance(content, dict) or not content.get("expectations"):
        raise ConfigurationError(f"the suite of {table} has no expectations: a gate needs at least one rule")
    rules = tuple(_rule(table, entry) for entry in content["expectations"])
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return Suite(table=table, rules=rules, digest=digest, quarantine=_quarantine(table, content, rules))


def _quarantine(table: str, content: dict[str, Any], rules: tuple[Rule, ...]) -> Quarantine | None:
    limits = content.get("quarantine") or {}
    if limits and not any(rule.quarantine for rule in rules):
        raise ConfigurationError(f"the suite of {table} limits its quarantine, but no rule splits rows off")
    try:
        return Quarantine(**limits) if any(rule.quarantine for rule in rules) else None
    except TypeError as error:
        raise ConfigurationError(f"the suite of {table}: quarantine has unknown fields ({error})") from error


def _rule(table: str, entry: dict[str, Any]) -> Rule:
    unknown = set(entry) - {"type", "kwargs", "severity", "quarantine", "why"}
    if unknown or "type" not in entry:
        raise ConfigurationError(f"the suite of {table}: {entry} has no type, or unknown fields {sorted(unknown)}")
    if entry.get("severity") not in SEVERITIES:
        raise ConfigurationError(f"the suite of {table}: {entry['type']} needs a severity, one of {SEVERITIES}")
    kwargs = dict(entry.get("kwargs") or {})
    for pattern in [*([kwargs["regex"]] if "regex" in kwargs else []), *(kwargs.get("regex_list") or [])]:
        if fault := patterns.fault(pattern):
            raise ConfigurationError(f"the suite of {table}: {entry['type']}: the pattern {pattern!r} {fault}")
    rule = Rule(
        type=entry["type"],
        kwargs=kwargs,
        severity=entry["severity"],
        quarantine=bool(entry.get("quarantine", False)),
        why=str(entry.get("why", "")),
    )
    _refuse_unknown_age(table, rule)
    return rule


def _refuse_unknown_age(table: str, rule: Rule) -> None:
    given = rule.kwargs.get("min_value")
    if not isinstance(given, dict):
        return
    (unit, number), *more = [*given.items()] or [("", None)]
    known = unit in AGES and type(number) is int and number >= 0 and not more
    if not (known and rule.type == AGED and table.startswith("silver.")):
        raise ConfigurationError(
            f"the suite of {table}: {rule.name} has min_value {given}. An age is one of {', '.join(AGES)} with a whole "
            f"number, for {AGED}, in a suite of silver: `min_value: {{days_ago: 3}}`"
        )
