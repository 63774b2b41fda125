"""The gate's cost grows with the changes: rows that passed under the same suite are not judged again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from dq import run_ge_checks, suite, validate
from jobs.lake import settings
from jobs.lake.delta import changes, log, snapshot
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests import lakes
from tests.jobs.lakehouse import change, silver_order, version

SILVER = "silver.orders"
RULES = "expectations: [{type: expect_column_values_to_be_between, kwargs: {column: amount, min_value: 0}, severity: "
CRITICAL, WARNING = (suite.parse(SILVER, f"{RULES}{severity}}}]") for severity in ("critical", "warning"))
BAD = silver_order("O1", amount=Decimal("-1.00"))


@pytest.fixture(scope="module")
def original(lake_environment: dict[str, str]) -> Iterator[str]:
    """A version with a bad row, which the gate passed as if long ago; then another order came."""
    with lakes.empty(lake_environment) as bucket:
        remember(change(SILVER, [BAD, silver_order("O2")]))
        change(SILVER, [silver_order("O3")])
        yield bucket


@pytest.fixture
def passed(original: str, lake_environment: dict[str, str]) -> Iterator[int]:
    """A lake with these; returns the newest version."""
    with lakes.copy(original, lake_environment):
        yield version(SILVER)


def remember(at: int, **other: Any) -> None:
    table_id = log.table_id(settings.lake().uri(SILVER)) or ""
    now = datetime.now(UTC).isoformat()
    known = {"version": at, "table_id": table_id, "suite": CRITICAL.digest, "whole_at": now, **other}
    gate_verdicts.keep_last_passed(SILVER, gate_verdicts.Passed(**known))


def judge(spark: SparkSession, rules: suite.Suite, at: int, **run: Any) -> tuple[bool, str]:
    """Whether the row rules hold, and what they were judged on."""
    scope = run_ge_checks.scope(spark, Run("run", "gate", **run), rules, at)
    whole = snapshot.read(spark, settings.lake().uri(SILVER), at)
    judged = validate.validate(rules, whole if scope.changed is None else scope.changed, whole)
    return all(judgement.success for judgement in judged), scope.words


def test_rows_that_passed_are_not_judged_again(spark: SparkSession, passed: int) -> None:
    assert judge(spark, CRITICAL, passed) == (True, f"rows changed since version {passed - 1}")


def test_version_that_another_dags_gate_has_passed_is_judged_by_its_own_commit_alone(
    spark: SparkSession, passed: int
) -> None:
    remember(passed)

    again = run_ge_checks.scope(spark, Run("run", "gate"), CRITICAL, passed)
    older = run_ge_checks.scope(spark, Run("run", "gate"), CRITICAL, passed - 1)

    assert (again.since, again.words, again.passed) == (passed - 1, "passed before", True)
    assert (older.since, older.words, older.passed) == (passed - 2, "all rows", False)
    assert not run_ge_checks.scope(spark, Run("run", "gate"), WARNING, passed).passed
    assert not run_ge_checks.scope(spark, Run("run", "gate", full_refresh=True), CRITICAL, passed).passed


def test_bad_row_among_the_changed_is_found(spark: SparkSession, passed: int) -> None:
    worse = change(SILVER, [silver_order("O4", amount=Decimal("-2.00"))])

    assert judge(spark, CRITICAL, worse)[0] is False


@pytest.mark.slow
def test_bad_row_that_was_fixed_meanwhile_is_not_a_fault(spark: SparkSession, passed: int) -> None:
    change(SILVER, [silver_order("O4", amount=Decimal("-2.00"))])
    fixed = change(SILVER, [silver_order("O4")])

    assert judge(spark, CRITICAL, fixed)[0] is True


def test_bad_row_from_before_is_found_by_a_changed_suite_only(spark: SparkSession, passed: int) -> None:
    assert judge(spark, CRITICAL, passed)[0] is True
    assert judge(spark, WARNING, passed) == (False, "all rows")


@pytest.mark.parametrize("reason", ["full refresh", "a week", "created again", "never passed", "overtaken", "no feed"])
def test_every_row_is_judged_when_the_changes_are_not_enough(
    spark: SparkSession, passed: int, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "a week":
        remember(passed - 1, whole_at=(datetime.now(UTC) - timedelta(days=7)).isoformat())
    elif reason == "created again":
        remember(passed - 1, table_id="another")
    elif reason == "never passed":
        monkeypatch.setattr(gate_verdicts, "last_passed", lambda table: None)
    elif reason == "overtaken":
        remember(passed + 1)
    elif reason == "no feed":

        def nothing(*_: Any) -> DataFrame | None:
            return None

        monkeypatch.setattr(changes, "net", nothing)

    assert judge(spark, CRITICAL, passed, full_refresh=reason == "full refresh") == (False, "all rows")


def test_older_verdict_never_replaces_a_newer_one(lake: str) -> None:
    newer = gate_verdicts.Passed(5, "id", "suite", "2026-10-05T00:00:00+00:00")
    gate_verdicts.keep_last_passed(SILVER, newer)
    gate_verdicts.keep_last_passed(SILVER, gate_verdicts.Passed(4, "id", "suite", "2026-10-06T00:00:00+00:00"))

    assert gate_verdicts.last_passed(SILVER) == newer
