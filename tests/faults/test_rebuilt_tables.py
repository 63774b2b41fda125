"""A table that was dropped and created again is never taken for the old one, however long its new log is."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from dq import conservation, suite
from jobs.lake import settings
from jobs.lake.delta import inputs, log
from jobs.lake.errors import GateError
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts, objects
from tests.jobs.lakehouse import ORDERS, build, by, land, order, put, silver_order, silver_rate, version

SILVER, RATES, GOLD = "silver.orders", "silver.fx_rates", "gold.fact_orders"


def drop(table: str) -> None:
    objects.delete_prefix(f"{table.replace('.', '/')}/")


def passed(run_id: str) -> None:
    gate_verdicts.record_passed(Run(run_id, "gate"), {name: version(name) for name in (SILVER, RATES)})


@pytest.mark.slow
def test_bronze_that_was_created_again_is_read_whole_and_adds_up(
    spark: SparkSession, lake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    land(spark, ORDERS, "b1", [order("O1")])
    build(SILVER)
    drop(ORDERS)
    land(spark, ORDERS, "b1", [order("O1"), order("O2")])
    land(spark, ORDERS, "b2", [order("O3")])
    assert version(ORDERS) > 1, "by its number alone, the new table would look like the old one, continued"

    made = build(SILVER, "run-2")

    assert (made["read"], made["since"]) == (3, {ORDERS: None})
    assert by(SILVER, "order_id", "status").keys() == {"O1", "O2", "O3"}
    assert f"{ORDERS} was dropped and created again" in capsys.readouterr().out
    judged = conservation.judge(suite.load(SILVER), version(SILVER), None, Run("run-2", "gate"))
    assert [judgement.success for judgement in judged] == [True, True]


@pytest.mark.slow
def test_replay_after_bronze_was_created_again_reads_the_new_table(spark: SparkSession, lake: str) -> None:
    land(spark, ORDERS, "b1", [order("O1")])
    land(spark, ORDERS, "b2", [order("O2")])
    build(SILVER)
    drop(ORDERS)
    land(spark, ORDERS, "b1", [order("O1"), order("O9")])

    build(SILVER, "run-2", batches=("b1",))

    assert by(SILVER, "order_id", "status").keys() == {"O1", "O2", "O9"}


@pytest.mark.slow
def test_gold_refuses_silver_that_was_created_again_after_the_gate_and_says_the_way_on(
    spark: SparkSession, lake: str
) -> None:
    put(RATES, [silver_rate("2026-10-01", "EUR", "2.0")])
    put(SILVER, [silver_order("O1")])
    passed("run-1")
    build(GOLD, "run-1")
    drop(SILVER)
    for status in ("PAID", "SHIPPED"):
        put(SILVER, [silver_order("O2", status=status)])

    with pytest.raises(
        GateError, match=r"silver\.orders was dropped and created again .* Run its step and the gate again"
    ):
        build(GOLD, "run-1")

    passed("run-1")
    assert build(GOLD, "run-1")["whole"]
    assert by(GOLD, "order_id", "status") == {"O2": "SHIPPED"}


@pytest.mark.slow
def test_published_version_of_an_older_silver_does_not_hold_back_the_new_one(spark: SparkSession, lake: str) -> None:
    put(RATES, [silver_rate("2026-10-01", "EUR", "2.0")])
    for status in ("PLACED", "PAID", "SHIPPED"):
        put(SILVER, [silver_order("O1", status=status)])
    passed("run-1")
    build(GOLD, "run-1")
    drop(SILVER)
    put(SILVER, [silver_order("O1", status="CANCELLED")])
    passed("run-2")

    build(GOLD, "run-2")

    assert by(GOLD, "order_id", "status") == {"O1": "CANCELLED"}


def test_commit_of_the_release_before_names_no_ids_and_its_numbers_are_believed(lake: str) -> None:
    put(SILVER, [silver_order()])
    put(GOLD, [], step=GOLD, inputs={SILVER: 0})
    last = log.newest_of(settings.lake().uri(GOLD), GOLD)

    assert inputs.read_before(SILVER, last) == 0
    drop(SILVER)
    assert inputs.read_before(SILVER, last) == 0, "there is nothing to compare it with"
    assert inputs.ids([SILVER]) == {}


def test_version_that_the_table_no_longer_has_reads_all(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    put(SILVER, [silver_order()])
    put(GOLD, [], step=GOLD, inputs={SILVER: 7})

    assert inputs.read_before(SILVER, log.newest_of(settings.lake().uri(GOLD), GOLD)) is None
    assert f"{SILVER} has no version 7 any more, its newest is 0" in capsys.readouterr().out
