"""A source that stands still is seen, and neither a weekend, a backfill, a late run nor a clock is taken for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from dq import freshness, run_ge_checks, suite, validate
from dq.suite import Rule
from jobs.lake import tables
from jobs.lake.delta.commit_record import Counts
from jobs.lake.errors import ConfigurationError, GateError
from jobs.lake.registry import Table
from jobs.lake.run import Run, Window
from tests.jobs.lakehouse import RATES, at, commit_window, frame, good_rows, put, schema_of, silver_rate, version

SILVER = "silver.fx_rates"
MONDAY = "2026-10-05"  # its midnight explains Friday, 2 October


def aged(table: str) -> suite.Suite:
    rules = suite.load(table)
    return replace(rules, rules=tuple(rule for rule in rules.rules if rule.age))


def judge(spark: SparkSession, table: str, row: dict[str, Any], run: Run, read: str | None) -> set[str]:
    """The severities of the freshness rules that don't hold."""
    rows = frame(spark, [{**good_rows(table)[0], **row}], schema_of(table))
    settled, unjudged = freshness.settle(aged(table), run, rows.schema, at(read) if read else None)
    judged = validate.validate(settled, rows, rows) if settled.rules else []
    assert not any(judgement.error for judgement in judged)
    return {judgement.rule.severity for judgement in judged + unjudged if not judgement.success}


@pytest.mark.parametrize(
    ("newest", "read", "end", "exact", "broken"),
    [
        ("2026-10-02", MONDAY, MONDAY, False, set()),  # over a weekend
        ("2026-10-01", MONDAY, MONDAY, False, {"warning"}),
        ("2026-09-29", MONDAY, MONDAY, False, {"warning"}),
        ("2026-09-28", MONDAY, MONDAY, False, {"warning", "critical"}),
        ("2026-06-04", MONDAY, MONDAY, False, {"warning", "critical"}),
        ("2026-06-04", MONDAY, None, False, {"warning", "critical"}),  # by hand, without an interval
        ("2026-06-04", MONDAY, "2026-06-05", False, set()),  # a run of June that is cleared now
        ("2026-06-04", "2026-06-05", MONDAY, False, {"warning"}),  # nobody reads the feed any more
        ("2026-06-04", MONDAY, "2026-06-05", True, set()),  # a backfill of June
        ("2026-06-04", None, MONDAY, True, set()),  # backfills alone have filled the lake
        ("2026-06-04", "2026-06-05", MONDAY, True, set()),
    ],
)
def test_rates_are_as_old_as_targets_calendar_explains(
    spark: SparkSession,
    newest: str,
    read: str | None,
    end: str | None,
    exact: bool,
    broken: set[str],
) -> None:
    run = Run("run", "gate", window_end=at(end) if end else None, exact=exact)

    assert judge(spark, SILVER, {"as_of_date": date.fromisoformat(newest)}, run, read) == broken


@pytest.mark.parametrize("table", ["silver.orders", "silver.salesforce_accounts"])
def test_quiet_source_warns_and_closes_no_gate(spark: SparkSession, table: str) -> None:
    (rule,) = aged(table).rules
    _, days = rule.age or ("", 0)
    for microseconds, broken in ((0, set()), (1, {"warning"})):
        moment = at("2026-10-31") - timedelta(days=days, microseconds=microseconds)
        row = {rule.kwargs["column"]: moment}
        assert judge(spark, table, row, Run("run", "gate", window_end=at("2026-10-31")), "2026-10-31") == broken


def test_end_that_is_not_reached_yet_counts_as_now() -> None:
    rule = Rule("expect_column_max_to_be_between", {"column": "x", "min_value": {"days_ago": 1}}, "warning")

    found = freshness.moment(Run("run", "gate", window_end=at("2126-01-01")), SILVER, rule, None)

    assert found is not None
    assert found < at("2126-01-01")


def test_table_of_a_stream_alone_is_judged_by_the_end_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    events = Table(
        "silver.events",
        "d",
        "o",
        depends_on=("bronze.orders_events",),
        keys=("order_id",),
        order_by=("updated_at",),
        no_zorder="small",
    )
    known = tables.table
    monkeypatch.setattr(tables, "table", lambda name: events if name == events.name else known(name))
    rule = Rule("expect_column_max_to_be_between", {"column": "x", "min_value": {"days_ago": 1}}, "critical")

    assert freshness.moment(Run("run", "gate", window_end=at(MONDAY)), events.name, rule, None) == at(MONDAY)
    assert freshness.moment(Run("run", "gate", window_end=at(MONDAY), exact=True), events.name, rule, None) is None


@pytest.mark.slow
def test_gate_warns_of_late_rates_and_refuses_those_that_stand_still(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load, fresh = suite.load, aged(SILVER)
    monkeypatch.setattr(suite, "load", lambda name: fresh if name == SILVER else replace(
        load(name), rules=load(name).rules[:1]
    ))  # fmt: skip
    for end in ("2026-10-05", "2026-10-07"):
        commit_window(Run(end, RATES, window_end=at(end)), Window(None, at(end)))
        for table in tables.pipeline("lakehouse").gated:
            rows = [silver_rate("2026-09-30", "EUR", "1.1")] if table.name == SILVER else good_rows(table.name)
            made_of = {"inputs": {RATES: version(RATES)}} if table.name == SILVER else {}
            put(table.name, rows, run_id=end, step=table.name, counts=vars(Counts(0)), **made_of)

    run_ge_checks.gate(Run("2026-10-05", "gate", subject="lakehouse", window_end=at("2026-10-05")))
    assert "warning: as_of_date column_max_to_be_between: observed_value 2026-09-30, min_value 2026-10-02" in (
        capsys.readouterr().out
    )
    # The warning counts from the end of this run, the refusal from what was read.
    both = (
        r"warning: as_of_date .* min_value 2026-10-19.*critical: as_of_date .*, min_value 2026-10-01.*the feed stands"
    )
    with pytest.raises(GateError, match=both):
        run_ge_checks.gate(Run("2026-10-07", "gate", subject="lakehouse", window_end=at("2026-10-20")))


def test_version_counts_from_what_it_was_made_of_and_not_from_what_bronze_has_read_since(lake: str) -> None:
    commit_window(Run("1", RATES, window_end=at(MONDAY)), Window(None, at(MONDAY)))
    put(SILVER, [silver_rate("2026-10-02", "EUR", "1.1")], step=SILVER, inputs={RATES: version(RATES)})
    commit_window(Run("2", RATES, window_end=at("2026-11-05")), Window(at(MONDAY), at("2026-11-05")))

    assert freshness.read_to(SILVER, version(SILVER)) == at(MONDAY)
    put(SILVER, [silver_rate("2026-11-04", "EUR", "1.1")], step=SILVER, inputs={RATES: version(RATES)})
    assert freshness.read_to(SILVER, version(SILVER)) == at("2026-11-05")
    assert freshness.read_to(SILVER, version(SILVER) - 1) == at(MONDAY)


def test_bronze_that_was_created_again_since_says_nothing_of_a_version(lake: str) -> None:
    commit_window(Run("1", RATES, window_end=at(MONDAY)), Window(None, at(MONDAY)))
    made_of = {"inputs": {RATES: version(RATES)}, "input_ids": {RATES: "another"}}
    put(SILVER, [silver_rate("2026-10-02", "EUR", "1.1")], step=SILVER, **made_of)

    assert freshness.read_to(SILVER, version(SILVER)) is None


@pytest.mark.parametrize(
    "age",
    ["{}", "{days: 3}", "{days_ago: -1}", "{days_ago: 1.5}", "{days_ago: true}", "{days_ago: 1, target_days_ago: 1}"],
)
def test_age_that_means_nothing_is_refused_when_the_suite_is_loaded(age: str) -> None:
    rule = f"{{type: {suite.AGED}, kwargs: {{column: x, min_value: {age}}}, severity: warning}}"

    with pytest.raises(ConfigurationError, match=r"the suite of silver\.x: x column_max_.* An age is one of days_ago"):
        suite.parse("silver.x", f"expectations: [{rule}]")


def test_age_is_refused_where_no_gate_would_judge_it() -> None:
    rule = f"{{type: {suite.AGED}, kwargs: {{column: x, min_value: {{days_ago: 1}}}}, severity: warning}}"
    other = rule.replace(suite.AGED, "expect_column_min_to_be_between")

    suite.parse("silver.x", f"expectations: [{rule}]")
    for table, text in (("gold.x", rule), ("silver.x", other)):
        with pytest.raises(ConfigurationError, match="in a suite of silver"):
            suite.parse(table, f"expectations: [{text}]")


def test_units_of_the_suite_are_those_that_the_gate_knows() -> None:
    assert set(suite.AGES) == set(freshness.OLDEST)
