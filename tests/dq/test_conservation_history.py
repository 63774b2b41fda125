"""The gate judges what made the table as it is now: whatever was restored, erased, read again or written by others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from delta.tables import DeltaTable
from deltalake.exceptions import DeltaError
from pyspark.sql import SparkSession

from dq import conservation, suite
from dq.validate import Judgement
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log, row_counts
from jobs.lake.run import Run
from jobs.lake.state import objects
from jobs.operations import commits
from tests import lakes
from tests.jobs.lakehouse import ORDERS, build, land, order, rows, version

SILVER, QUARANTINE = "silver.orders", "quarantine.orders"
BAD = order("Q1", status="LOST")


def judge(run_id: str, passed: int | None = None) -> dict[str, Judgement]:
    found = conservation.judge(suite.load(SILVER), version(SILVER), passed, Run(run_id, "gate"))
    return {judgement.rule.name: judgement for judgement in found}


def faults(run_id: str, passed: int | None = None) -> str:
    return str(judge(run_id, passed)["conservation"].observed.get("faults", ""))


def delta(spark: SparkSession, table: str) -> Any:
    return DeltaTable.forPath(spark, settings.lake().uri(table))


@pytest.fixture(scope="module")
def original(spark: SparkSession, lake_environment: dict[str, str]) -> Any:
    """Silver's version 1 of two batches, one row of them bad; version 2 of a third."""
    with lakes.empty(lake_environment) as bucket:
        land(spark, ORDERS, "b1", [order("O1"), BAD])
        land(spark, ORDERS, "b2", [order("O2")])
        build(SILVER, "run-1")
        land(spark, ORDERS, "b3", [order("O3"), order("O4")])
        build(SILVER, "run-2")
        yield bucket


@pytest.fixture
def built(original: str, lake_environment: dict[str, str]) -> Any:
    with lakes.copy(original, lake_environment):
        yield


def erase_in_bronze(spark: SparkSession) -> None:
    delta(spark, ORDERS).delete("order_id = 'O3'")


def restore_bronze(spark: SparkSession) -> None:
    delta(spark, ORDERS).restoreToVersion(version(ORDERS) - 1)


def restore_silver(spark: SparkSession) -> None:
    delta(spark, SILVER).restoreToVersion(version(SILVER) - 1)


def update_bronze(spark: SparkSession) -> None:
    delta(spark, ORDERS).update("order_id = 'O3'", {"status": "'PAID'"})


def replace_batch(spark: SparkSession) -> None:
    land(spark, ORDERS, "b3", [order("O3"), order("O5"), BAD])


def empty_batch(spark: SparkSession) -> None:
    land(spark, ORDERS, "b3", [])


def compact_bronze(spark: SparkSession) -> None:
    delta(spark, ORDERS).optimize().executeCompaction()
    land(spark, ORDERS, "b4", [order("O6")])


def first_bad_row_of_a_batch(spark: SparkSession) -> None:
    land(spark, ORDERS, "b2", [order("O2"), order("Q2", status="LOST")])


@pytest.mark.parametrize(
    "happens",
    [
        erase_in_bronze,
        pytest.param(replace_batch, marks=pytest.mark.slow),
        *(pytest.param(each, marks=pytest.mark.slow) for each in (restore_bronze, restore_silver, update_bronze)),
        *(pytest.param(each, marks=pytest.mark.slow) for each in (empty_batch, compact_bronze)),
        pytest.param(first_bad_row_of_a_batch, marks=pytest.mark.slow),
    ],
)
def test_what_may_happen_to_a_table_makes_no_fault(
    spark: SparkSession, built: None, happens: Callable[[SparkSession], None]
) -> None:
    happens(spark)

    build(SILVER, "run-3")

    assert faults("run-3") == ""
    assert {row["order_id"] for row in rows(SILVER)} == {
        row["order_id"] for row in rows(ORDERS) if row["status"] != "LOST"
    }


@pytest.mark.parametrize("by", ["delete", *(pytest.param(by, marks=pytest.mark.slow) for by in ("update", "merge"))])
def test_rows_that_a_person_changed_in_silver_close_the_gate_until_they_are_accepted(
    spark: SparkSession, built: None, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = delta(spark, SILVER)
    if by == "delete":
        table.delete("order_id = 'O1'")
    elif by == "update":
        table.update("order_id = 'O1'", {"amount": "1"})
    else:
        one = table.toDF().filter("order_id = 'O1'").withColumn("status", table.toDF()["source"])
        table.alias("t").merge(one.alias("s"), "t.order_id = s.order_id").whenMatchedUpdateAll().execute()
    changed = version(SILVER)
    build(SILVER, "run-3")

    found = faults("run-3", passed=changed - 1)
    assert f"version {changed}: another program changed rows ({by.upper()})" in found
    assert f"`commits.accept {SILVER} --who NAME --why REASON`" in found

    asked = Run("by-hand", "commits.accept", subject=SILVER)
    commits.accept(asked)
    assert f"version {changed}" in capsys.readouterr().out
    assert faults("run-3", passed=changed - 1), "to list is not to accept"

    judged = version(SILVER)
    commits.accept(Run("by-hand", "commits.accept", subject=SILVER, who="Ann", why="erasure 17"))
    again = conservation.judge(suite.load(SILVER), judged, changed - 1, Run("run-3", "gate"))
    assert again[0].success, "the same version passes when the gate is cleared"
    build(SILVER, "run-4")

    assert faults("run-4", passed=changed - 1) == ""
    accepted = next(c.record for c in log.commits(settings.lake().uri(SILVER)) if c.record and c.record.accepted)
    assert (accepted.accepted, accepted.who, accepted.why, accepted.run_id) == (
        (changed,), "Ann", "erasure 17", "by-hand",
    )  # fmt: skip


@pytest.mark.slow
def test_full_refresh_puts_right_what_a_person_changed_and_opens_the_gate(spark: SparkSession, built: None) -> None:
    delta(spark, SILVER).update("order_id = 'O1'", {"amount": "1"})
    build(SILVER, "run-3")
    assert "another program" in faults("run-3")

    build(SILVER, "run-4", full_refresh=True)

    assert faults("run-4") == ""
    assert {row["amount"] for row in rows(SILVER)} == {Decimal("10.00")}


@pytest.mark.slow
def test_fault_of_a_release_that_was_mended_is_forgotten_with_a_full_refresh(
    spark: SparkSession, built: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = version(SILVER)
    real = row_counts.added
    monkeypatch.setattr(row_counts, "added", lambda uri, since, until: (real(uri, since, until) or 0) + 1)
    assert "1 missing" in faults("run-2")

    build(SILVER, "run-3", full_refresh=True)

    assert version(SILVER) == first + 1
    assert faults("run-3") == "", "the whole was read again: what was before is no part of it"


@pytest.mark.slow
def test_version_that_a_restore_undid_is_no_base_to_go_on_from(
    spark: SparkSession, built: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = version(SILVER)  # this one never passed
    land(spark, ORDERS, "b4", [order("Q9")])
    build(SILVER, "run-3")
    passed = version(SILVER)
    delta(spark, SILVER).restoreToVersion(failed)
    build(SILVER, "run-4")
    real = row_counts.added
    monkeypatch.setattr(row_counts, "added", lambda uri, since, until: (real(uri, since, until) or 0) + 1)

    assert f"version {failed}:" in faults("run-4", passed=passed)


def test_what_a_cleaned_log_no_longer_says_is_unknown_and_no_fault(spark: SparkSession, built: None) -> None:
    open_table = log.open_table(settings.lake().uri(ORDERS))
    assert open_table is not None
    open_table.create_checkpoint()
    newest = version(ORDERS)
    for number in range(newest):
        objects.delete_prefix(f"bronze/snowflake_orders/_delta_log/{number:020d}.")

    judged = judge("run-2")["conservation"]

    assert judged.success
    assert judged.observed["commits_whose_inputs_are_gone"] == 1


@pytest.mark.slow
def test_quarantine_that_was_dropped_is_no_fault_of_earlier_commits(spark: SparkSession, built: None) -> None:
    objects.delete_prefix("quarantine/orders/")
    land(spark, ORDERS, "b4", [order("Q9", status="LOST")])
    build(SILVER, "run-3")

    assert faults("run-3") == ""


@pytest.mark.slow
def test_rows_in_quarantine_that_have_passed_do_not_count_again(spark: SparkSession, built: None) -> None:
    passed = version(SILVER)
    build(SILVER, "run-3", full_refresh=True)
    refreshed = judge("run-3", passed)["quarantine_volume"].observed
    land(spark, ORDERS, "b4", [order("Q9", status="LOST")])
    build(SILVER, "run-4", full_refresh=True)

    assert (refreshed["read"], refreshed["quarantined"]) == (5, 0)
    assert judge("run-4", passed)["quarantine_volume"].observed["quarantined"] == 1
    assert judge("run-4", None)["quarantine_volume"].observed["quarantined"] == 2
    assert quarantine.held(tables.table(SILVER), {ORDERS: None}, after=datetime(2100, 1, 1, tzinfo=UTC)) == 0


def test_count_of_the_newest_quarantine_that_fails_is_never_taken_for_none(
    lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(uri: str, version: int | None = None) -> None:
        raise DeltaError("no such version")

    monkeypatch.setattr(log, "open_table", gone)

    assert quarantine.held(tables.table(SILVER), {ORDERS: None}, version=3) is None
    with pytest.raises(DeltaError):
        quarantine.held(tables.table(SILVER), {ORDERS: None})
