"""The DAG that takes a pipeline's sources to gold, for every pipeline of the registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from sluice_airflow.parameters import ACCEPTABLE
from tests.airflow_home import parse_bare
from tests.dags.schedules import SCHEDULE, starts

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline


def names(pipeline: Pipeline) -> set[str]:
    return {table.name for table in pipeline.built}


def upstream(dag: DAG, task: str) -> set[str]:
    found: set[str] = dag.get_task(task).get_flat_relative_ids(upstream=True)
    return found


def test_every_table_that_runs_build_has_its_task(pipeline: Pipeline, built: DAG) -> None:
    assert {name: built.get_task(name).step for name in names(pipeline)} == {name: name for name in names(pipeline)}


def test_no_task_but_tables_gate_and_catalog(pipeline: Pipeline, built: DAG) -> None:
    assert set(built.task_ids) == {*names(pipeline), "gate.silver", "register.glue"}


def test_gate_and_catalog_are_told_their_pipeline(pipeline: Pipeline, built: DAG) -> None:
    gate, register = built.get_task("gate.silver"), built.get_task("register.glue")
    assert (gate.step, gate.subject) == ("gate", pipeline.name)
    assert (register.step, register.subject) == ("register", pipeline.name)


def test_table_waits_for_the_tables_that_it_reads(pipeline: Pipeline, built: DAG) -> None:
    for table in pipeline.built:
        assert set(table.depends_on) & names(pipeline) <= built.get_task(table.name).upstream_task_ids, table.name


def test_table_that_a_stream_writes_is_left_to_the_stream_and_read_as_it_is(pipeline: Pipeline, built: DAG) -> None:
    streamed = {table.name for table in pipeline.continuous}
    assert not streamed & {task.step for task in built.tasks}
    if "tables" in pipeline.parameters:
        assert set(built.params.get_param("tables").schema["items"]["enum"]) == names(pipeline)


def test_gate_waits_for_every_silver_table(pipeline: Pipeline, built: DAG) -> None:
    assert {table.name for table in pipeline.layer("silver")} <= upstream(built, "gate.silver")


def test_every_gold_table_waits_for_the_gate(pipeline: Pipeline, built: DAG) -> None:
    for table in pipeline.layer("gold"):
        assert "gate.silver" in upstream(built, table.name)


def test_catalog_comes_last(built: DAG) -> None:
    assert not built.get_task("register.glue").downstream_task_ids
    assert upstream(built, "register.glue") == set(built.task_ids) - {"register.glue"}


def test_groups_are_the_stages_that_a_person_sees(built: DAG) -> None:
    assert set(built.task_group.children) == {"bronze", "silver", "gate", "gold", "register"}


def test_skipped_table_does_not_hold_up_the_rest_and_a_failed_one_does(built: DAG) -> None:
    assert {task.trigger_rule for task in built.tasks} == {"none_failed"}


def test_only_tables_can_be_deselected(pipeline: Pipeline, built: DAG) -> None:
    selectable = {task.task_id for task in built.tasks if task.selected_by == "tables"}
    assert selectable == (names(pipeline) if "tables" in pipeline.parameters else set())


def test_tables_are_declared_as_assets(pipeline: Pipeline, built: DAG) -> None:
    for table in pipeline.built:
        task = built.get_task(table.name)
        address = f"s3://lake/{table.layer}/{table.short}"
        assert [(asset.name, asset.uri) for asset in task.outlets] == [(table.name, address)]
        assert [asset.name for asset in task.inlets] == list(table.depends_on)


@pytest.mark.parametrize(
    ("parameter", "name", "value"),
    [
        ("tables", "tables", ["silver.nonsense"]),
        ("window", "window_start", 5),
        ("full_refresh", "full_refresh", "maybe"),
        ("accept", "accept", ["everything"]),
        ("accept", "accept", ACCEPTABLE[0]),
    ],
)
def test_wrong_parameter_is_refused_when_a_run_is_asked_for(
    parameter: str, name: str, value: Any, pipeline: Pipeline, built: DAG
) -> None:
    if parameter not in pipeline.parameters:
        assert name not in built.params
        return
    with pytest.raises(ParamValidationError):
        built.params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("parameter", "name", "value"),
    [
        ("tables", "tables", []),
        ("window", "window_start", "2026-11-20T00:00:00Z"),
        ("window", "window_end", None),
        ("accept", "accept", []),
        ("accept", "accept", [*ACCEPTABLE]),
    ],
)
def test_right_parameter_is_accepted(parameter: str, name: str, value: Any, pipeline: Pipeline, built: DAG) -> None:
    if parameter in pipeline.parameters:
        assert built.params.get_param(name).resolve(value) == value


def test_every_table_can_be_chosen(pipeline: Pipeline, built: DAG) -> None:
    for name in names(pipeline) if "tables" in pipeline.parameters else ():
        assert built.params.get_param("tables").resolve([name]) == [name]


def test_steps_that_can_lose_rows_of_a_source_are_told_which_damage_is_meant_and_no_other_step_is(
    pipeline: Pipeline, built: DAG
) -> None:
    told = {task.task_id: task.arguments["--accept"] for task in built.tasks if "--accept" in task.arguments}
    if "accept" not in pipeline.parameters:
        assert told == {}
        return
    assert set(told) == {table.name for table in pipeline.built if table.layer in ("bronze", "silver")}
    (template,) = set(told.values())
    render = built.get_template_env().from_string(template).render
    assert render(params={"accept": []}) == ""
    assert render(params={"accept": [*ACCEPTABLE]}) == ",".join(ACCEPTABLE)


def test_gate_and_catalog_write_no_table_and_share_no_tables_pool(built: DAG) -> None:
    assert {built.get_task(name).pool for name in ("gate.silver", "register.glue")} == {"default_pool"}


def test_each_interval_of_the_schedule_gets_one_run_and_no_other_does(pipeline: Pipeline, tmp_path: Path) -> None:
    code = f"""
from airflow.serialization.serialized_objects import DagSerialization
dag, info = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["{pipeline.schedule.dag_id}"])), None
while info := dag.next_dagrun_info(last_automated_run_info=info):
    assert info.data_interval.start.year == 2026, f"{{info}} is not of the schedule"
    print("interval", info.data_interval.start.isoformat(), info.data_interval.end.isoformat())
"""
    lines = parse_bare(code, tmp_path, extra=SCHEDULE).splitlines()
    intervals = [line.split()[1:] for line in lines if line.startswith("interval")]
    first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in SCHEDULE.values())
    assert [start for start, _ in intervals] == starts(pipeline.schedule.cron, first, last + timedelta(days=1))
    assert [end for _, end in intervals[:-1]] == [start for start, _ in intervals[1:]]


def test_runs_follow_one_another_and_none_is_left_out(built: DAG) -> None:
    assert built.catchup is True
    assert built.max_active_runs == 1
