"""The gate: it judges the versions that the run wrote, and passes or refuses them."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from dq import roll_up, run_ge_checks, suite, summary
from jobs.lake import tables
from jobs.lake.delta.commit_record import Counts
from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, objects
from tests.jobs.lakehouse import at, good_rows, put, silver_account, silver_order

SILVER = tuple(table.name for table in tables.pipeline("lakehouse").gated)
BESIDE_THE_RULES = 2  # conservation and the quarantine's volume


@pytest.fixture(autouse=True)
def short_suites(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders are judged by all their rules, and each other table by one, because a rule costs a Spark job."""
    load = suite.load

    def cut(table: str) -> suite.Suite:
        rules = load(table)
        return rules if table == "silver.orders" else replace(rules, rules=rules.rules[3:4] or rules.rules[:1])

    monkeypatch.setattr(suite, "load", cut)


def wrote(run_id: str, **others: list[dict[str, Any]]) -> dict[str, int]:
    """Commits of a run to the silver tables: good rows, or others by the table's short name."""
    return {
        name: put(
            name, others.get(name.partition(".")[2], good_rows(name)), run_id=run_id, step=name, counts=vars(Counts(0))
        )
        for name in SILVER
    }


def gate(run_id: str = "run-1", **options: Any) -> None:
    run_ge_checks.gate(Run(run_id, "gate", subject="lakehouse", **options))


def verdict(run_id: str = "run-1") -> dict[str, int]:
    return gate_verdicts.passed_versions(Run(run_id, "gold"), SILVER)


def results(bucket: str) -> dict[str, dict[str, Any]]:
    """The result files by key."""
    s3: Any = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="gold/quality/").get("Contents", [])
    return {entry["Key"]: objects.read_json(entry["Key"]) for entry in listed}


def test_versions_of_the_run_pass_and_each_table_has_a_result_file(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # every suite with all of its rules
    versions = wrote("run-1")

    gate()

    assert verdict() == versions
    found = results(lake)
    assert len(found) == len(SILVER)
    for key, content in found.items():
        assert re.fullmatch(r"gold/quality/day=\d{4}-\d\d-\d\d/\w+/\d{8}_\d{6}\.json", key)
        rules = suite.load(content["table_name"])
        assert key.split("/")[3] == content["table_name"].partition(".")[2]
        assert (content["success"], content["run_id"], content["suite"]) == (True, "run-1", rules.digest)
        assert content["version"] == versions[content["table_name"]]
        assert content["evaluated"] == len(content["results"]) == len(rules.rules) + BESIDE_THE_RULES


def test_critical_failure_refuses_and_names_table_rule_and_why(spark: SparkSession, lake: str) -> None:
    wrote("run-1", orders=[silver_order("O1"), silver_order("O1")])

    with pytest.raises(GateError) as caught:
        gate()

    message = str(caught.value)
    number = len(suite.load("silver.orders").rules) + BESIDE_THE_RULES
    held = f"{number - 1} of {number} expectations"
    assert f"The gate refuses. Gold is unchanged. silver.orders version 0 (all rows): {held}" in message
    assert "critical: order_id be_unique: " in message
    assert "unexpected_count 2" in message
    assert "(a doubled order doubles its revenue)" in message
    assert re.search(rf"s3://{lake}/gold/quality/day=[\d-]+/orders/", message)
    with pytest.raises(GateError, match="passed no version"):
        verdict()
    (failed,) = [content for content in results(lake).values() if not content["success"]]
    assert (failed["table_name"], failed["failed"]) == ("silver.orders", 1)


def test_failure_is_in_the_tables_summary_with_keys_and_without_confidential_values(
    spark: SparkSession, lake: str
) -> None:
    secret = "no such currency C77"
    wrote("run-1", orders=[silver_order("O1"), silver_order("O2", currency=secret, customer_id="C77")])

    with pytest.raises(GateError):
        gate()

    found = objects.read_json(summary.key("silver.orders"))
    assert (found["validated"]["success"], found["validated"]["run_id"]) == (False, "run-1")
    (failed,) = [rule for rule in found["validated"]["results"] if not rule["success"]]
    assert (failed["rule"], failed["examples"]) == ("currency match_regex", [{"order_id": "O2"}])
    assert "C77" not in str(found)
    assert "C77" not in str(results(lake))
    assert objects.read_json(summary.REGISTRY) == summary.registry()


@pytest.mark.slow
def test_gate_stands_whatever_becomes_of_its_summary(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = wrote("run-1")
    monkeypatch.setattr(roll_up, "brought_up_to_date", lambda *_: 1 / 0)
    monkeypatch.setattr(summary, "registry", lambda: 1 / 0)

    gate()

    assert verdict() == versions


def test_warning_passes_and_is_recorded(spark: SparkSession, lake: str) -> None:
    versions = wrote("run-1", orders=[silver_order("O1", currency="XAU")])

    gate()

    assert verdict() == versions
    (orders,) = [content for content in results(lake).values() if content["table_name"] == "silver.orders"]
    (failed,) = [result for result in orders["results"] if not result["success"]]
    assert (orders["success"], orders["failed"]) == (True, 1)
    assert (failed["severity"], failed["rule"]) == ("warning", "currency not_match_regex")


def test_every_refusing_table_is_named(spark: SparkSession, lake: str) -> None:
    wrote("run-1", orders=[], salesforce_accounts=[silver_account(account_number=None)])

    with pytest.raises(GateError, match=r"salesforce_accounts version 0 \(.*silver\.orders version 0 \("):
        gate()


def test_version_that_the_run_wrote_is_judged_and_not_a_later_one(spark: SparkSession, lake: str) -> None:
    bad = [silver_order("O1", amount=Decimal("-1.00"))]
    good, broken = wrote("run-1"), wrote("run-2", orders=bad)
    repaired = wrote("run-3")

    gate("run-1")
    with pytest.raises(GateError, match=rf"silver\.orders version {broken['silver.orders']} \(all rows\): "):
        gate("run-2")

    assert verdict("run-1") == good != repaired


def test_table_that_the_run_did_not_write_refuses(lake: str, spark: SparkSession) -> None:
    wrote("run-1")

    with pytest.raises(GateError, match=rf"{SILVER[0]} was not written in run by_hand run-2: run its step first"):
        gate("run-2")


@pytest.mark.slow
def test_table_that_a_limited_run_leaves_out_is_judged_at_its_newest(spark: SparkSession, lake: str) -> None:
    wrote("run-1")
    newest = {
        **wrote("run-2"),
        "silver.orders": put("silver.orders", [silver_order()], run_id="run-3", counts=vars(Counts(0))),
    }

    gate("run-3", tables=("silver.orders",))

    assert verdict("run-3") == newest


def test_table_that_does_not_exist_refuses(lake: str, spark: SparkSession) -> None:
    put("silver.orders", [silver_order()], run_id="run-1")

    with pytest.raises(GateError, match=rf"{SILVER[0]} has no table yet"):
        gate("run-1", tables=("silver.orders",))


def test_rule_that_can_not_be_judged_refuses_even_if_it_only_warns(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote("run-1")
    rule = "{type: expect_column_values_to_not_be_null, kwargs: {column: nope}, severity: warning}"
    monkeypatch.setattr(suite, "load", lambda table: suite.parse(table, f"expectations: [{rule}]"))

    with pytest.raises(GateError, match=r"warning: nope not_be_null: .*nope"):
        gate()


def test_suite_without_expectations_refuses(spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote("run-1")
    monkeypatch.setattr(suite, "load", lambda table: suite.Suite(table, (), "d"))

    with pytest.raises(GateError, match="0 of 0 expectations"):
        gate()
    with pytest.raises(GateError, match="passed no version"):
        verdict()


@pytest.mark.slow
def test_retry_after_a_refusal_passes_what_was_fixed(spark: SparkSession, lake: str) -> None:
    wrote("run-1", orders=[])
    with pytest.raises(GateError):
        gate()
    fixed = wrote("run-1")

    gate()

    assert verdict() == fixed


def test_refusal_takes_back_what_an_earlier_attempt_passed(spark: SparkSession, lake: str) -> None:
    gate_verdicts.record_passed(Run("run-1", "gate"), wrote("run-1"))
    wrote("run-1", orders=[])

    with pytest.raises(GateError):
        gate()
    with pytest.raises(GateError, match="passed no version"):
        verdict()


@pytest.mark.slow
@pytest.mark.parametrize(("aged", "jobs"), [("", 0), ("silver.fx_rates", 3)], ids=["no age", "an age"])
@pytest.mark.usefixtures("lake")
def test_of_a_version_that_has_passed_only_the_age_is_judged_again(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, aged: str, jobs: int
) -> None:
    """Two of the Spark jobs are Delta's look at its log."""
    monkeypatch.undo()
    load = suite.load

    def cut(table: str) -> suite.Suite:
        rules = load(table).rules
        ages = [rule for rule in rules if rule.age and rule.severity == "warning" and table == aged]
        return replace(load(table), rules=(rules[0], *ages))

    monkeypatch.setattr(suite, "load", cut)
    versions = wrote("run-1")
    gate()
    scheduler = spark.sparkContext._jsc.sc().dagScheduler()
    before = int(str(scheduler.nextJobId()))

    gate("run-2", tables=("gold.fact_orders",), window_end=at("2026-10-02"))

    assert verdict("run-2") == versions
    assert int(str(scheduler.nextJobId())) - before == jobs
