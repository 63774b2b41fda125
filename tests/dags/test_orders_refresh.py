from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.lake.tables import LAKEHOUSE, table
from tests.airflow_home import parse_bare
from tests.dags.schedules import LONG_AGO, NEWEST_ONLY

if TYPE_CHECKING:
    from airflow.sdk import DAG

REACHED = {"silver.orders", "gold.dim_customers", "gold.fact_orders"}


def test_every_table_that_streamed_orders_come_to_is_built_and_no_other(refresh: DAG) -> None:
    assert {table.name for table in LAKEHOUSE.refreshed} == REACHED
    assert set(refresh.task_ids) == {*REACHED, "gate.silver", "register.glue"}


def test_tables_are_built_by_the_very_tasks_of_the_daily_run(refresh: DAG, daily: DAG) -> None:
    for name in REACHED:
        mine, theirs = refresh.get_task(name), daily.get_task(name)
        for what in ("step", "pool", "windowed", "execution_timeout_minutes", "inlets", "outlets", "trigger_rule"):
            assert getattr(mine, what) == getattr(theirs, what), f"{name}: {what}"


def test_gate_stands_between_silver_and_gold_and_the_catalog_comes_last(refresh: DAG) -> None:
    gate, register = refresh.get_task("gate.silver"), refresh.get_task("register.glue")
    assert gate.upstream_task_ids == {"silver.orders"}
    assert gate.downstream_task_ids == {"gold.dim_customers", "gold.fact_orders"}
    assert register.upstream_task_ids == {"gold.dim_customers", "gold.fact_orders"}
    assert not register.downstream_task_ids


def test_gate_knows_to_which_tables_the_run_is_limited(refresh: DAG) -> None:
    words = refresh.get_task("gate.silver").arguments["--tables"].split(",")
    assert set(words) == REACHED
    assert not set(words) & {other.name for other in LAKEHOUSE.tables if other.name not in REACHED}


def test_table_that_reads_another_of_the_refresh_waits_for_it(refresh: DAG) -> None:
    for name in REACHED:
        assert set(table(name).depends_on) & REACHED <= refresh.get_task(name).get_flat_relative_ids(upstream=True)


def test_only_the_newest_quarter_of_an_hour_is_scheduled_however_long_the_refresh_was_away(tmp_path: Path) -> None:
    printed = parse_bare(NEWEST_ONLY.format(dag="orders_refresh", minutes=15), tmp_path, extra=LONG_AGO)
    assert "one interval at a time" in printed


def test_one_refresh_at_a_time(refresh: DAG) -> None:
    assert refresh.max_active_runs == 1
