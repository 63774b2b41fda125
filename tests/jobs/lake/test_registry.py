"""A row that the kernel can't handle is refused when it is created, with a sentence that says what to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jobs.lake import registry, tables
from jobs.lake.registry import Pipeline, Schedule, Table, Upkeep

BATCHES = Table("bronze.things", "d", "o", source="shop/things")
EVENTS = Table("bronze.clicks", "d", "o", source="shop/clicks", keys=("id",), continuous=True)
SILVER = Table(
    "silver.things", "d", "o", depends_on=("bronze.things",), keys=("id",), order_by=("at",), zorder_by=("id",)
)
GOLD = Table("gold.things", "d", "o", depends_on=("silver.things",), keys=("id",), no_zorder="Ten rows.")
SHOP = Pipeline("shop", "d", "o", Schedule("daily_shop", "0 0 * * *", "d"), (BATCHES, SILVER, GOLD))
EVERY_MINUTE = Schedule("shop_stream", "* * * * *", "d")


@pytest.mark.parametrize(
    ("table", "change", "sentence"),
    [
        (SILVER, {"name": "copper.x"}, "the name is <layer>.<table>"),
        (SILVER, {"name": "silver.x-y"}, "the name is <layer>.<table>"),
        (SILVER, {"description": ""}, "has a description and an owner"),
        (SILVER, {"owner": ""}, "has a description and an owner"),
        (SILVER, {"source": "a/b"}, "bronze tables have a source"),
        (BATCHES, {"source": None}, "bronze tables have a source"),
        (BATCHES, {"source": "shop"}, "a source is <system>/<object>"),
        (BATCHES, {"source": "shop/a/b"}, "a source is <system>/<object>"),
        (BATCHES, {"depends_on": ("silver.things",)}, "bronze depends on none"),
        (SILVER, {"depends_on": ()}, "silver and gold depend on tables"),
        (SILVER, {"keys": ()}, "silver, gold and streams have keys"),
        (GOLD, {"keys": ()}, "silver, gold and streams have keys"),
        (EVENTS, {"keys": ()}, "silver, gold and streams have keys"),
        (BATCHES, {"keys": ("id",)}, "bronze batches have none"),
        (SILVER, {"valid_days": -1}, "only silver says in valid_days"),
        (GOLD, {"valid_days": 10}, "only silver says in valid_days"),
        (SILVER, {"order_by": ()}, "which row of a key is the newest"),
        (GOLD, {"order_by": ("at",)}, "which row of a key is the newest"),
        (BATCHES, {"partition_by": "day"}, "leave partition_by out"),
        (EVENTS, {"partition_by": "day"}, "leave partition_by out"),
        (GOLD, {"overlap_hours": 1}, "only bronze batches have an overlap"),
        (EVENTS, {"overlap_hours": 1}, "only bronze batches have an overlap"),
        (GOLD, {"continuous": True}, "only a bronze table can be continuous"),
        (BATCHES, {"written_with": "bronze.clicks"}, "only a continuous table is written with another"),
        (SILVER, {"zorder_by": ()}, "silver and gold say in zorder_by how .* or in no_zorder why it does not"),
        (SILVER, {"no_zorder": "both"}, "or in no_zorder why it does not"),
        (GOLD, {"no_zorder": ""}, "or in no_zorder why it does not"),
        (BATCHES, {"zorder_by": ("id",)}, "bronze is only compacted"),
        (EVENTS, {"no_zorder": "small"}, "bronze is only compacted"),
        (SILVER, {"partition_by": "month", "zorder_by": ("month",)}, "leave partition_by out of zorder_by"),
        (GOLD, {"rejected_days": 90}, "only silver, with its quarantine, and a table that is written with another"),
        (SILVER, {"rejected_days": 29}, "rejected_days is 30 or more"),
        (GOLD, {"minutes": 4}, "a step's time limit is 5 minutes or more"),
    ],
    ids=str,
)
def test_table_that_the_kernel_can_not_handle_is_refused(table: Table, change: dict[str, Any], sentence: str) -> None:
    name = change.get("name", table.name)
    with pytest.raises(ValueError, match=rf"^{name}: .*{sentence}"):
        replace(table, **change)


def test_bronze_batches_are_partitioned_by_their_batch_and_streams_are_not() -> None:
    assert BATCHES.partition_column == "_batch_id"
    assert EVENTS.partition_column is None
    assert replace(GOLD, partition_by="month").partition_column == "month"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"parameters": ("window", "colour")}, "shop: no parameter colour"),
        ({"gate_minutes": 4}, "shop: a step's time limit is 5 minutes or more"),
        ({"register_minutes": 0}, "shop: a step's time limit is 5 minutes or more"),
        ({"tables": (BATCHES, SILVER)}, "shop: a pipeline has a gold table"),
        ({"tables": (SILVER, BATCHES, GOLD)}, r"silver\.things depends on bronze\.things: .* come before it"),
        ({"tables": (SILVER, GOLD)}, r"silver\.things depends on bronze\.things: .* of its own pipeline"),
        (
            {"tables": (BATCHES, replace(GOLD, depends_on=("bronze.things",)))},
            r"gold\.things depends on bronze\.things: a gold table depends on silver tables",
        ),
        ({"tables": (EVENTS, BATCHES, SILVER, GOLD)}, "shop: a pipeline with continuous tables has the DAGs"),
        ({"streams": EVERY_MINUTE, "refresh": EVERY_MINUTE}, "shop: a pipeline with continuous tables has the DAGs"),
        (
            {
                "tables": (replace(EVENTS, written_with="bronze.dead"), BATCHES, SILVER, GOLD),
                "streams": EVERY_MINUTE,
                "refresh": EVERY_MINUTE,
            },
            r"bronze\.clicks is written with bronze\.dead",
        ),
    ],
    ids=str,
)
def test_tables_that_do_not_fit_together_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(SHOP, **change)


def renamed(pipeline: Pipeline, name: str) -> Pipeline:
    """The same pipeline under other names, with tables and sources of its own."""
    tables = (
        replace(BATCHES, name=f"bronze.{name}", source=f"{name}/things"),
        replace(SILVER, name=f"silver.{name}", depends_on=(f"bronze.{name}",)),
        replace(GOLD, name=f"gold.{name}", depends_on=(f"silver.{name}",)),
    )
    return replace(pipeline, name=name, schedule=replace(pipeline.schedule, dag_id=f"daily_{name}"), tables=tables)


def test_pipelines_that_share_nothing_are_accepted() -> None:
    registry.check([SHOP, renamed(SHOP, "other"), *tables.PIPELINES])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "shop"}, "two pipelines shop"),
        ({"schedule": SHOP.schedule}, "two DAGs daily_shop"),
        ({"tables": SHOP.tables}, r"two tables bronze\.things, silver\.things, gold\.things"),
    ],
    ids=str,
)
def test_pipelines_that_share_something_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        registry.check([SHOP, replace(renamed(SHOP, "other"), **change)])


def test_dag_that_belongs_to_no_pipeline_has_an_id_of_its_own() -> None:
    registry.check([SHOP], [Upkeep("broom", "o", Schedule("weekly_broom", "0 3 * * 0", "d"))])
    with pytest.raises(ValueError, match="two DAGs daily_shop"):
        registry.check([SHOP], [Upkeep("broom", "o", SHOP.schedule)])


def test_two_tables_with_one_watermark_are_refused() -> None:
    first, *rest = renamed(SHOP, "other").tables
    other = replace(renamed(SHOP, "other"), tables=(replace(first, source="shop/things"), *rest))

    with pytest.raises(ValueError, match="two bronze tables with the source shop/things"):
        registry.check([SHOP, other])


def test_tables_of_one_source_system_are_accepted() -> None:
    both = replace(SHOP, tables=(replace(BATCHES, name="bronze.more", source="shop/more"), *SHOP.tables))

    registry.check([both])
    assert {table.system for table in both.layer("bronze")} == {"shop"}


def test_gate_judges_the_silver_tables_that_gold_reads_and_no_others() -> None:
    unread = replace(SILVER, name="silver.unread")

    assert replace(SHOP, tables=(BATCHES, SILVER, unread, GOLD)).gated == (SILVER,)


def test_tables_that_a_streams_rows_reach_are_refreshed_and_no_others() -> None:
    clicks = replace(SILVER, name="silver.clicks", depends_on=("bronze.clicks",))
    counted = replace(GOLD, name="gold.clicks", depends_on=("silver.clicks", "silver.things"))
    both = replace(SHOP, tables=(EVENTS, clicks, *SHOP.tables, counted), streams=EVERY_MINUTE, refresh=EVERY_MINUTE)

    assert both.refreshed == (clicks, counted)
    assert both.built == (clicks, *SHOP.tables, counted)
