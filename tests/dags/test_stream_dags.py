"""The DAG that keeps streams running, for every pipeline that has streams."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import ParamValidationError

from jobs.lake.state.stream_control import desired_state_key, report_key
from tests.airflow_home import parse_bare
from tests.dags.schedules import LONG_AGO, NEWEST_ONLY, minutes

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from jobs.lake.registry import Pipeline, Table


def streams(pipeline: Pipeline) -> list[Table]:
    found = [table for table in pipeline.continuous if table.written_with is None]
    assert found
    return found


def test_every_stream_of_the_registry_is_kept_alive_and_watched(streaming: Pipeline, stream: DAG) -> None:
    tables = streams(streaming)
    assert set(stream.task_ids) == {f"{table.short}.{task}" for table in tables for task in ("keep_alive", "watch")}
    for table in tables:
        assert stream.get_task(f"{table.short}.keep_alive").step == table.name


def test_watch_looks_at_the_stream_that_the_task_before_it_keeps_alive(streaming: Pipeline, stream: DAG) -> None:
    for table in streams(streaming):
        keep, watch = (stream.get_task(f"{table.short}.{task}") for task in ("keep_alive", "watch"))
        assert watch.keeper == keep.task_id
        assert watch.upstream_task_ids == {keep.task_id}
        assert keep.desired_state_key == watch.desired_state_key == desired_state_key(table.name)
        assert watch.report_key == report_key(table.name)


def test_watch_looks_whatever_came_of_the_task_before_it(streaming: Pipeline, stream: DAG) -> None:
    for table in streams(streaming):
        assert stream.get_task(f"{table.short}.watch").trigger_rule == "all_done"


def test_stream_is_said_to_write_its_table_and_those_written_with_it(streaming: Pipeline, stream: DAG) -> None:
    for table in streams(streaming):
        others = [other.name for other in streaming.continuous if other.written_with == table.name]
        outlets = stream.get_task(f"{table.short}.keep_alive").outlets
        assert [asset.name for asset in outlets] == [table.name, *others]
        assert stream.get_task(f"{table.short}.watch").dead_letters == ", ".join(others)


@pytest.mark.parametrize("action", ["run", "stop", "restart"])
def test_action_can_be_asked_for(action: str, stream: DAG) -> None:
    assert deepcopy(stream.params.get_param("action")).resolve(action) == action  # it keeps what it resolves


def test_scheduled_run_keeps_the_stream_running(stream: DAG) -> None:
    assert stream.params["action"] == "run"


@pytest.mark.parametrize("action", ["pause", "", None])
def test_unknown_action_is_refused_when_a_run_is_asked_for(action: str | None, stream: DAG) -> None:
    with pytest.raises(ParamValidationError):
        deepcopy(stream.params.get_param("action")).resolve(action)


def test_only_the_newest_interval_is_scheduled_however_long_the_dag_was_away(
    streaming: Pipeline, tmp_path: Path
) -> None:
    assert streaming.streams
    code = NEWEST_ONLY.format(dag=streaming.streams.dag_id, minutes=minutes(streaming.streams.cron))
    assert "one interval at a time" in parse_bare(code, tmp_path, extra=LONG_AGO)


def test_no_two_runs_look_after_a_stream_at_once(stream: DAG) -> None:
    assert stream.max_active_runs == 1
