"""A second pipeline beside the lakehouse: its DAG comes from its row alone, and the two have nothing in common."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization

from jobs.lake.registry import Pipeline, Schedule, Table, check
from jobs.lake.release import JARS
from jobs.lake.settings import Deployment
from jobs.lake.tables import LAKEHOUSE
from sluice_airflow.pipeline_dag import is_daily, pipeline_dag
from sluice_airflow.refresh_dag import refresh_dag
from sluice_airflow.stream_dag import stream_dag

DEPLOYMENT = Deployment(
    "sluice",
    "lake",
    "code",
    "logs",
    "s3://code/releases/abc",
    "00app",
    "role",
    20.0,
    date(2026, 11, 17),
    None,
    jars=JARS,
)
SILVER: dict[str, Any] = {"keys": ("id",), "order_by": ("at",), "zorder_by": ("id",)}
GOLD: dict[str, Any] = {"keys": ("id",), "zorder_by": ("id",)}
SHOP = Pipeline(
    name="shop",
    description="Things that are sold, from the shop to gold.",
    owner="shop-team",
    schedule=Schedule("hourly_shop", "0 * * * *", "Things of the shop, every hour."),
    parameters=("window",),
    tables=(
        Table("bronze.things", "Things as read.", "shop-team", source="shop/things"),
        Table("bronze.sales", "Sales as read.", "sales-team", source="kafka/sales"),
        Table("silver.things", "Things.", "shop-team", depends_on=("bronze.things",), **SILVER),
        Table("silver.sales", "Sales.", "sales-team", depends_on=("bronze.sales",), **SILVER),
        Table("gold.sold", "What sold.", "sales-team", depends_on=("silver.things", "silver.sales"), **GOLD),
    ),
)


@pytest.fixture(scope="module")
def lakehouse() -> DAG:
    return pipeline_dag(LAKEHOUSE, DEPLOYMENT, doc="The lakehouse.")


@pytest.fixture(scope="module")
def shop(lakehouse: DAG) -> DAG:
    check((LAKEHOUSE, SHOP))
    return pipeline_dag(SHOP, DEPLOYMENT, doc="The shop.")


def uses(dag: DAG, what: str) -> set[Any]:
    """The pools, or the names of the assets, of a DAG's tasks."""
    if what == "pool":
        return {task.pool for task in dag.tasks} - {"default_pool"}
    return {asset.name for task in dag.tasks for asset in (*task.inlets, *task.outlets)}


def test_dag_has_exactly_the_tables_of_its_pipeline_and_its_own_gate_and_register(shop: DAG) -> None:
    steps = {task.task_id: " ".join(filter(None, (task.step, task.subject))) for task in shop.tasks}
    tables = {table.name: table.name for table in SHOP.tables}
    assert steps == {**tables, "gate.silver": "gate shop", "register.glue": "register shop"}


def test_id_schedule_description_and_parameters_come_from_the_row(shop: DAG) -> None:
    assert (shop.dag_id, shop.description, shop.doc_md) == (
        "hourly_shop", "Things of the shop, every hour.", "The shop.",
    )  # fmt: skip
    assert shop.timetable.summary == "0 * * * *"
    assert shop.tags == {"shop"}
    assert set(shop.params) == {"window_start", "window_end"}
    assert {task.selected_by for task in shop.tasks} == {None}


def test_task_that_builds_a_table_has_the_tables_owner_and_any_other_the_pipelines(shop: DAG) -> None:
    owners = {task.task_id: task.owner for task in shop.tasks}
    tables = {table.name: table.owner for table in SHOP.tables}
    assert owners == {**tables, "gate.silver": "shop-team", "register.glue": "shop-team"}


def test_each_step_has_the_time_limit_of_its_row() -> None:
    tables = tuple(replace(table, minutes=10 + number) for number, table in enumerate(SHOP.tables))
    dag = pipeline_dag(replace(SHOP, tables=tables, gate_minutes=7, register_minutes=8), DEPLOYMENT, doc="The shop.")
    limits = {task.task_id: task.execution_timeout_minutes for task in dag.tasks}
    assert limits == {**{table.name: table.minutes for table in tables}, "gate.silver": 7, "register.glue": 8}


def test_every_step_gets_the_jars_of_its_release_and_fetches_none(shop: DAG) -> None:
    """Whoever adds a source adds no Spark setting: a private network reaches no repository of jars."""
    tasks: list[Any] = list(shop.tasks)
    assert len(tasks) > 3
    for task in tasks:
        spark = task.job_request([task.step], {}, task.spark_conf)["jobDriver"]["sparkSubmit"]
        assert f"/{DEPLOYMENT.jars[0]}" in spark["sparkSubmitParameters"], task.task_id
        assert "spark.jars.packages" not in spark["sparkSubmitParameters"], task.task_id


@pytest.mark.parametrize("what", ["pool", "asset"])
def test_two_pipelines_share_no_pool_and_no_asset(what: str, shop: DAG, lakehouse: DAG) -> None:
    assert uses(shop, what)
    assert not uses(shop, what) & uses(lakehouse, what)


def test_two_pipelines_share_no_task(shop: DAG, lakehouse: DAG) -> None:
    assert not {id(task) for task in shop.tasks} & {id(task) for task in lakehouse.tasks}
    assert {task.dag_id for task in shop.tasks} == {"hourly_shop"}


def test_pipeline_that_is_not_built_yet_has_its_dag_and_leaves_the_lakehouse_as_it_was(
    shop: DAG, lakehouse: DAG
) -> None:
    for table in SHOP.tables:
        assert find_spec(table.module) is None, f"{table.name} is built: take another table for this test"
    assert DagSerialization.from_dict(DagSerialization.to_dict(shop)).task_dict.keys() == shop.task_dict.keys()
    again = pipeline_dag(LAKEHOUSE, DEPLOYMENT, doc="The lakehouse.")
    assert DagSerialization.to_dict(again) == DagSerialization.to_dict(lakehouse)


@pytest.mark.parametrize("make", [refresh_dag, stream_dag])
def test_pipeline_without_streams_has_no_dag_for_them(make: Any) -> None:
    with pytest.raises(ValueError, match="shop has no schedule for this DAG: add one to its row"):
        make(SHOP, DEPLOYMENT, doc="The shop.")


def test_stream_that_gold_does_not_read_yet_is_refreshed_up_to_silver() -> None:
    clicks = Table("bronze.clicks", "Clicks.", "shop-team", source="kafka/clicks", keys=("id",), continuous=True)
    counted = Table("silver.clicks", "Clicks.", "shop-team", depends_on=(clicks.name,), **SILVER)
    pipeline = replace(
        SHOP,
        tables=(clicks, *SHOP.tables, counted),
        streams=Schedule("shop_stream", "*/5 * * * *", "d"),
        refresh=Schedule("shop_refresh", "*/15 * * * *", "d"),
    )
    dag = refresh_dag(pipeline, DEPLOYMENT, doc="The shop.")
    assert set(dag.task_ids) == {"silver.clicks", "gate.silver", "register.glue"}
    assert set(dag.task_group.children) == {"silver", "gate", "register"}
    assert dag.get_task("register.glue").get_flat_relative_ids(upstream=True) == {"silver.clicks", "gate.silver"}


@pytest.mark.parametrize(
    ("cron", "daily"),
    [("0 0 * * *", True), ("30 6 * * *", True), ("0 * * * *", False), ("*/15 * * * *", False), ("0 0 * * 1", False)],
)
def test_dag_that_runs_once_a_day_is_tagged_daily(cron: str, daily: bool) -> None:
    assert is_daily(cron) is daily
    pipeline = replace(SHOP, schedule=replace(SHOP.schedule, cron=cron))
    assert ("daily" in pipeline_dag(pipeline, DEPLOYMENT, doc="The shop.").tags) is daily
