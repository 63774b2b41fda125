from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from jobs.lake.tables import LAKEHOUSE
from tests.airflow_home import parse_bare

if TYPE_CHECKING:
    from airflow.sdk import DAG

BUILT = LAKEHOUSE.built
NAMES = {table.name for table in BUILT}


@pytest.mark.parametrize("table", BUILT, ids=lambda table: table.name)
def test_every_table_of_the_registry_has_its_task(table: Any, daily: DAG) -> None:
    assert daily.get_task(table.name).step == table.name


def test_no_task_but_tables_gate_and_catalog(daily: DAG) -> None:
    assert set(daily.task_ids) == {*NAMES, "gate.silver", "register.glue"}


@pytest.mark.parametrize("table", BUILT, ids=lambda table: table.name)
def test_table_waits_for_the_tables_that_it_reads(table: Any, daily: DAG) -> None:
    assert set(table.depends_on) & NAMES <= daily.get_task(table.name).upstream_task_ids


def test_table_that_a_stream_writes_is_left_to_the_stream_and_read_as_it_is(daily: DAG) -> None:
    streamed = {table.name for table in LAKEHOUSE.tables if table.continuous}
    assert "bronze.orders_events" in streamed
    assert not streamed & {getattr(task, "step", None) for task in daily.tasks}
    assert set(daily.params.get_param("tables").schema["items"]["enum"]) == NAMES


def test_gate_waits_for_every_silver_table(daily: DAG) -> None:
    upstream = daily.get_task("gate.silver").get_flat_relative_ids(upstream=True)
    assert {table.name for table in LAKEHOUSE.layer("silver")} <= upstream


def test_every_gold_table_waits_for_the_gate(daily: DAG) -> None:
    for table in LAKEHOUSE.layer("gold"):
        assert "gate.silver" in daily.get_task(table.name).get_flat_relative_ids(upstream=True)


def test_catalog_comes_last(daily: DAG) -> None:
    register = daily.get_task("register.glue")
    assert not register.downstream_task_ids
    assert register.get_flat_relative_ids(upstream=True) == set(daily.task_ids) - {"register.glue"}


def test_groups_are_the_stages_that_a_person_sees(daily: DAG) -> None:
    assert set(daily.task_group.children) == {"bronze", "silver", "gate", "gold", "register"}


def test_skipped_table_does_not_hold_up_the_rest_and_a_failed_one_does(daily: DAG) -> None:
    assert {task.trigger_rule for task in daily.tasks} == {"none_failed"}


def test_only_tables_can_be_deselected(daily: DAG) -> None:
    selectable = {task.task_id for task in daily.tasks if task.selected_by == "tables"}
    assert selectable == NAMES


def test_tables_are_declared_as_assets(daily: DAG) -> None:
    orders = daily.get_task("silver.orders")
    assert [(asset.name, asset.uri) for asset in orders.outlets] == [("silver.orders", "s3://lake/silver/orders")]
    assert [asset.name for asset in orders.inlets] == ["bronze.snowflake_orders", "bronze.orders_events"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tables", ["silver.nonsense"]),
        ("window_start", 5),
        ("full_refresh", "maybe"),
        ("accept", ["everything"]),
        ("accept", "fewer_rows"),
    ],
)
def test_wrong_parameter_is_refused_when_a_run_is_asked_for(name: str, value: Any, daily: DAG) -> None:
    with pytest.raises(ParamValidationError):
        daily.params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tables", ["silver.orders"]),
        ("tables", []),
        ("window_start", "2026-11-20T00:00:00Z"),
        ("window_end", None),
        ("accept", []),
        ("accept", ["fewer_rows", "null_column"]),
    ],
)
def test_right_parameter_is_accepted(name: str, value: Any, daily: DAG) -> None:
    assert daily.params.get_param(name).resolve(value) == value


def test_steps_that_read_a_source_are_told_which_damage_is_meant_and_no_other_step_is(daily: DAG) -> None:
    told = {task.task_id: task.arguments["--accept"] for task in daily.tasks if "--accept" in task.arguments}
    assert set(told) == {table.name for table in BUILT if table.layer == "bronze"}
    (template,) = set(told.values())
    render = daily.get_template_env().from_string(template).render
    assert render(params={"accept": []}) == ""
    assert render(params={"accept": ["fewer_rows", "null_column"]}) == "fewer_rows,null_column"


def test_gate_and_catalog_write_no_table_and_share_no_tables_pool(daily: DAG) -> None:
    assert {daily.get_task(name).pool for name in ("gate.silver", "register.glue")} == {"default_pool"}


def test_each_day_of_the_schedule_gets_one_run_and_no_other_does(tmp_path: Path) -> None:
    code = """
from airflow.serialization.serialized_objects import DagSerialization
dag, info = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["daily_lakehouse"])), None
while info := dag.next_dagrun_info(last_automated_run_info=info):
    print("interval", info.data_interval.start.date(), info.data_interval.end.date())
"""
    schedule = {"SLUICE_SCHEDULE_START": "2026-11-17", "SLUICE_SCHEDULE_END": "2026-11-19"}
    lines = parse_bare(code, tmp_path, extra=schedule).splitlines()
    assert [line for line in lines if line.startswith("interval")] == [
        "interval 2026-11-17 2026-11-18",
        "interval 2026-11-18 2026-11-19",
        "interval 2026-11-19 2026-11-20",
    ]


def test_runs_follow_one_another_and_none_is_left_out(daily: DAG) -> None:
    assert daily.catchup is True
    assert daily.max_active_runs == 1
