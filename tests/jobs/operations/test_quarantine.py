"""An operator counts, lists and replays rows that were kept out; a replay moves each row to silver once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from dq import suite
from jobs import run as run_py
from jobs.lake import difference, quarantine, settings, tables
from jobs.lake.errors import ConfigurationError, LakeError
from jobs.lake.run import Run
from tests import lakes
from tests.jobs.lakehouse import ORDERS, build, by, files, killed_at, land, order, record, rows, version

SILVER = "silver.orders"
TABLE = tables.table(SILVER)
LOST, CHEAP = order("Q1", status="LOST"), order("Q2", amount=None)
STATUS, AMOUNT = "status be_in_set", "amount not_be_null"


@pytest.fixture(scope="module")
def original(spark: SparkSession, lake_environment: dict[str, str]) -> Iterator[str]:
    """Three batches: two with a row of an unknown status, two with a row without an amount."""
    with lakes.empty(lake_environment) as bucket:
        _three_batches(spark)
        yield bucket


@pytest.fixture
def kept_out(original: str, lake_environment: dict[str, str]) -> Iterator[None]:
    """A lake with these."""
    with lakes.copy(original, lake_environment):
        yield


def _three_batches(spark: SparkSession) -> None:
    land(spark, ORDERS, "b1", [order("O1"), LOST, CHEAP])
    build(SILVER)
    land(spark, ORDERS, "b2", [order("Q3", status="LOST"), order("Q3", status="LOST")])
    land(spark, ORDERS, "b3", [order("O2"), order("Q4", amount=None)])
    build(SILVER)


def operate(step: str, **options: Any) -> None:
    run_py.perform(Run("by-hand", f"quarantine.{step}", **options))


def reasons(spark: SparkSession) -> list[tuple[str, str]]:
    return sorted((row["batch_id"], row["rule"]) for row in rows("quarantine.orders"))


def allow_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fix: the rule allows the new status."""
    known = suite.load(SILVER)
    rules = tuple(rule for rule in known.rules if rule.name != STATUS)
    monkeypatch.setattr(suite, "load", lambda table: suite.Suite(table, rules, "fixed", known.quarantine))


@pytest.mark.usefixtures("kept_out")
def test_count_and_list_name_reason_and_batch_and_show_no_content(
    capsys: pytest.CaptureFixture[str], spark: SparkSession
) -> None:
    operate("count", subject=SILVER)
    counted = capsys.readouterr().out
    assert "quarantine.orders: 5 rows" in counted
    assert f"     2  {STATUS}  batch b2" in counted

    operate("list", subject=SILVER, rule=AMOUNT)
    listed = capsys.readouterr().out
    assert listed.count(AMOUNT) == 2
    assert STATUS not in listed
    assert "C1" not in listed
    assert "Q2" not in listed

    operate("list", batches=("b2",))
    assert capsys.readouterr().out.count("batch b2") == 2


@pytest.mark.usefixtures("kept_out")
def test_replay_after_a_fix_moves_rows_to_silver_once_and_leaves_the_rest(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_lost(monkeypatch)

    operate("replay", subject=SILVER, rule=STATUS)

    assert set(by(SILVER, "order_id", "status")) == {"O1", "O2", "Q1", "Q3"}
    assert reasons(spark) == [("b1", AMOUNT), ("b3", AMOUNT)]
    made = record(SILVER)
    assert (made["run_id"], made["replayed"], made["read"]) == ("by-hand", ["b1", "b2"], 5)
    before = files(SILVER), files("quarantine.orders")
    operate("replay", subject=SILVER, rule=STATUS)
    operate("replay", subject=SILVER)
    assert (files(SILVER), files("quarantine.orders")) == before
    assert reasons(spark) == [("b1", AMOUNT), ("b3", AMOUNT)]


@pytest.mark.slow
@pytest.mark.usefixtures("kept_out")
def test_replay_killed_between_its_commits_is_completed_by_the_next(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_lost(monkeypatch)
    real = quarantine.replace_rows

    def killed(*arguments: Any, release: bool) -> int | None:
        if release:
            raise InterruptedError("killed at the release")
        return real(*arguments, release=release)

    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "replace_rows", killed)
        with pytest.raises(InterruptedError, match="release"):
            operate("replay", subject=SILVER, rule=STATUS)
    assert len(reasons(spark)) == 5  # in both tables for now, but never in neither

    operate("replay", subject=SILVER, rule=STATUS)

    assert reasons(spark) == [("b1", AMOUNT), ("b3", AMOUNT)]
    assert set(by(SILVER, "order_id", "status")) == {"O1", "O2", "Q1", "Q3"}


@pytest.mark.slow
@pytest.mark.usefixtures("kept_out")
def test_replay_does_not_make_later_steps_skip_new_rows(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    land(spark, ORDERS, "b4", [order("O3")])
    allow_lost(monkeypatch)
    operate("replay", subject=SILVER)
    assert "O3" not in by(SILVER, "order_id", "status")  # not read yet

    build(SILVER)

    assert "O3" in by(SILVER, "order_id", "status")


@pytest.mark.usefixtures("kept_out")
@pytest.mark.parametrize("by_replay", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["replay", "refresh"])
def test_rows_that_came_home_are_not_lost_when_a_restore_undoes_that(
    by_replay: bool, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version(SILVER)
    allow_lost(monkeypatch)
    if by_replay:
        operate("replay", subject=SILVER, rule=STATUS)
    else:
        build(SILVER, full_refresh=True)
    DeltaTable.forPath(spark, settings.lake().uri(SILVER)).restoreToVersion(before)  # Q1 and Q3 are in neither table
    with pytest.raises(
        ConfigurationError, match=r"was restored to before batches were read again.* Run the step silver"
    ):
        operate("replay", subject=SILVER)

    build(SILVER, "run-9")

    assert set(by(SILVER, "order_id", "status")) == {"O1", "O2", "Q1", "Q3"}
    assert reasons(spark) == [("b1", AMOUNT), ("b3", AMOUNT)]
    assert build(SILVER, "run-10")["read"] == 0, "all of bronze is read once"


@pytest.mark.slow
@pytest.mark.usefixtures("kept_out")
def test_batch_that_the_source_corrects_frees_its_rows(spark: SparkSession) -> None:
    land(spark, ORDERS, "b1", [order("O1"), order("Q1", status="PAID")])  # Q2 is gone
    with killed_at(difference, "commit"):  # between the quarantine's commit and silver's
        build(SILVER)

    build(SILVER)

    assert reasons(spark) == [("b2", STATUS), ("b2", STATUS), ("b3", AMOUNT)]
    assert by(SILVER, "order_id", "status")["Q1"] == "PAID"


def test_replay_says_what_is_missing(spark: SparkSession, lake: str) -> None:
    with pytest.raises(ConfigurationError, match=r"quarantine\.replay silver\.orders"):
        operate("replay")
    with pytest.raises(ConfigurationError, match=r"no silver table 'gold\.x'; there are .*silver\.orders"):
        operate("count", subject="gold.x")
    land(spark, ORDERS, "b1", [order("O1")])
    with pytest.raises(LakeError, match="never built"):
        build(SILVER, batches=("b1",))
    operate("replay", subject=SILVER)  # nothing is kept out: nothing happens
    assert quarantine.total(TABLE) == 0
    assert version(ORDERS) == 1
