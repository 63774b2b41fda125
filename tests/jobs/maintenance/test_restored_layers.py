"""After a restore of any layer, the next run makes of the lake what it would be without the restore.

Three days: on each, bronze is read from a source, silver and gold are built, and the counts are judged. Before the
third day one layer goes back to the end of the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from dq import conservation, suite
from jobs import run as run_py
from jobs.bronze import snowflake_orders
from jobs.lake import ingest, settings, tables
from jobs.lake.extract import Request, SourceRows
from jobs.lake.run import Run
from jobs.lake.state import gate_verdicts
from tests import lakes
from tests.jobs.lakehouse import ORDERS, at, build, order, put, rows, silver_rate, version

SILVER, GOLD, RATES, QUARANTINE = "silver.orders", "gold.fact_orders", "silver.fx_rates", "quarantine.orders"
WHO = ("--who", "Ann", "--why", "bad run")
FIRST = {ORDERS: 1, SILVER: 1, GOLD: 1}  # version at the end of the first day; 0 is the empty table
SOURCE = [
    order("O1", updated_at=at("2026-10-01 08:00:00")),
    order("O2", updated_at=at("2026-10-01 09:00:00"), status="LOST"),
    order("O3", updated_at=at("2026-10-01 10:00:00")),
    order("O1", updated_at=at("2026-10-02 08:00:00"), status="PAID"),
    order("O4", updated_at=at("2026-10-02 09:00:00")),
    order("O5", updated_at=at("2026-10-02 10:00:00"), amount=None),
    order("O4", updated_at=at("2026-10-03 08:00:00"), status="PAID"),
    order("O2", updated_at=at("2026-10-03 09:00:00")),
]


def extract(request: Request) -> SourceRows:
    start, end = request.window.start, request.window.end
    found = [row for row in SOURCE if (start is None or start <= row["updated_at"]) and row["updated_at"] < end]
    yield pa.Table.from_pylist(found, to_arrow_schema(snowflake_orders.SCHEMA, timestamp_utc=True))
    return {}


def day(spark: SparkSession, number: int) -> None:
    """The daily run of one day, with the gate's look at the counts."""
    window = {"window_start": at(f"2026-10-0{number}"), "window_end": at(f"2026-10-0{number + 1}")}
    run = Run(f"day-{number}", ORDERS, "daily_lakehouse", **window)
    ingest.ingest(spark, run, tables.table(ORDERS), snowflake_orders.SCHEMA, extract)
    build(SILVER, run.run_id, dag_id=run.dag_id)
    assert faults(run) == ""
    passed = {name: version(name) for name in (SILVER, RATES)}
    gate_verdicts.record_passed(replace(run, step="gate"), passed)
    build(GOLD, run.run_id, dag_id=run.dag_id)


def faults(run: Run) -> Any:
    judged = conservation.judge(suite.load(SILVER), version(SILVER), None, run)
    return judged[0].observed.get("faults", "")


def content(spark: SparkSession) -> dict[str, Any]:
    """The rows of each table. Bronze without what says how often and in which batch a row was read."""
    own = snowflake_orders.SCHEMA.names
    return {
        ORDERS: {str({name: row[name] for name in own}) for row in rows(ORDERS)},
        QUARANTINE: {(json.loads(row["raw_row"])["order_id"], row["rule"]) for row in rows(QUARANTINE)},
        **{name: rows(name) for name in (SILVER, GOLD)},
    }


def restore(table: str, to: int, run_id: str = "by-hand") -> None:
    run_py.perform(run_py.parse(["restore", table, "--version", str(to), *WHO, "--run-id", run_id]))
    lakes.forget_frames()


@pytest.fixture(scope="module")
def two_days(spark: SparkSession, lake_environment: dict[str, str]) -> Iterator[str]:
    with lakes.empty(lake_environment) as bucket:
        put(RATES, [silver_rate("2026-10-01", "EUR", "1.1")])
        for number in (1, 2):
            day(spark, number)
        yield bucket


@pytest.fixture(scope="module")
def undisturbed(two_days: str, spark: SparkSession, lake_environment: dict[str, str]) -> dict[str, Any]:
    """The lake after three days on which nothing happened."""
    with lakes.copy(two_days, lake_environment):
        day(spark, 3)
        found = content(spark)
    lakes.forget_frames()
    assert {row["order_id"]: row["status"] for row in found[SILVER]} == {
        "O1": "PAID", "O2": "PLACED", "O3": "PLACED", "O4": "PAID",
    }  # fmt: skip
    assert {order_id for order_id, _ in found[QUARANTINE]} == {"O2", "O5"}
    return found


@pytest.fixture
def lake_of_two_days(two_days: str, lake_environment: dict[str, str]) -> Iterator[None]:
    with lakes.copy(two_days, lake_environment):
        yield
    lakes.forget_frames()


@pytest.mark.usefixtures("lake_of_two_days")
@pytest.mark.parametrize("table", FIRST)
@pytest.mark.slow
def test_next_run_after_a_restore_gives_the_lake_that_was_never_restored(
    table: str, spark: SparkSession, undisturbed: dict[str, Any]
) -> None:
    before = content(spark)[table]
    restore(table, FIRST[table])
    assert content(spark)[table] != before

    day(spark, 3)

    assert content(spark) == undisturbed


@pytest.mark.usefixtures("lake_of_two_days")
@pytest.mark.slow
def test_restore_that_undoes_a_change_by_hand_opens_the_gate_and_needs_no_acceptance(
    spark: SparkSession, undisturbed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    good = version(SILVER)
    DeltaTable.forPath(spark, settings.lake().uri(SILVER)).delete("order_id = 'O3'")
    assert "another program changed rows (DELETE)" in faults(Run("day-2", SILVER, "daily_lakehouse"))

    restore(SILVER, good)

    assert "undoes what another program did (DELETE, ...)" in capsys.readouterr().out
    day(spark, 3)
    assert content(spark) == undisturbed


@pytest.mark.usefixtures("lake_of_two_days")
@pytest.mark.slow
def test_foreign_change_that_a_restore_brings_back_is_announced_and_closes_the_gate(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    good = version(SILVER)
    DeltaTable.forPath(spark, settings.lake().uri(SILVER)).delete("order_id = 'O3'")
    restore(SILVER, good)
    capsys.readouterr()

    restore(SILVER, good + 1, "undo")

    assert f"version {good + 1} (DELETE) is another program's: the gate asks to accept it" in capsys.readouterr().out
    assert f"version {good + 1}: another program changed rows" in faults(Run("day-2", SILVER, "daily_lakehouse"))
