"""The DAG that takes what streams have written to gold, for every pipeline that has streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.lake import tables as registry
from tests.airflow_home import parse_bare
from tests.dags.schedules import LONG_AGO, NEWEST_ONLY, minutes

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline


def names(pipeline: Pipeline, layer: str = "") -> set[str]:
    return {table.name for table in pipeline.refreshed if table.layer.startswith(layer)}


def test_every_table_that_a_streams_messages_come_to_is_built_and_no_other(streaming: Pipeline, refresh: DAG) -> None:
    streamed = {table.name for table in streaming.continuous}
    assert names(streaming)
    for table in streaming.built:
        reads = streamed | names(streaming)
        assert (table.name in names(streaming)) == bool(reads & set(table.depends_on)), table.name
    assert set(refresh.task_ids) == {*names(streaming), "gate.silver", "register.glue"}


def test_tables_are_built_by_the_very_tasks_of_the_scheduled_run(
    streaming: Pipeline, refresh: DAG, bag: DagBag
) -> None:
    whole = bag.dags[streaming.schedule.dag_id]
    for name in names(streaming):
        mine, theirs = refresh.get_task(name), whole.get_task(name)
        for what in (
            "step", "pool", "owner", "spark_conf", "windowed", "execution_timeout_minutes", "inlets", "outlets",
            "trigger_rule",
        ):  # fmt: skip
            assert getattr(mine, what) == getattr(theirs, what), f"{name}: {what}"


def test_gate_stands_between_silver_and_gold_and_the_catalog_comes_last(streaming: Pipeline, refresh: DAG) -> None:
    gate, register = refresh.get_task("gate.silver"), refresh.get_task("register.glue")
    assert gate.get_flat_relative_ids(upstream=True) == names(streaming, "silver")
    assert gate.get_flat_relative_ids(upstream=False) == {*names(streaming, "gold"), "register.glue"}
    assert register.get_flat_relative_ids(upstream=True) == set(refresh.task_ids) - {"register.glue"}


def test_gate_and_catalog_are_told_their_pipeline(streaming: Pipeline, refresh: DAG) -> None:
    assert refresh.get_task("gate.silver").subject == streaming.name
    assert refresh.get_task("register.glue").subject == streaming.name


def test_gate_knows_to_which_tables_the_run_is_limited(streaming: Pipeline, refresh: DAG) -> None:
    assert set(refresh.get_task("gate.silver").arguments["--tables"].split(",")) == names(streaming)


def test_table_that_reads_another_of_the_refresh_waits_for_it(streaming: Pipeline, refresh: DAG) -> None:
    for name in names(streaming):
        reads = set(registry.table(name).depends_on) & names(streaming)
        assert reads <= refresh.get_task(name).get_flat_relative_ids(upstream=True), name


def test_only_the_newest_interval_is_scheduled_however_long_the_refresh_was_away(
    streaming: Pipeline, tmp_path: Path
) -> None:
    assert streaming.refresh
    code = NEWEST_ONLY.format(dag=streaming.refresh.dag_id, minutes=minutes(streaming.refresh.cron))
    assert "one interval at a time" in parse_bare(code, tmp_path, extra=LONG_AGO)


def test_one_refresh_at_a_time(refresh: DAG) -> None:
    assert refresh.max_active_runs == 1
