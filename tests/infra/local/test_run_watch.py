from __future__ import annotations

from typing import Any, cast

import pytest

from infra.local.airflow_api import AirflowApi, TaskState
from infra.local.run_watch import RunWatch


class Airflow:
    """An Airflow whose tasks have the states that a test sets."""

    def __init__(self) -> None:
        self.states: dict[str, tuple[str, int]] = {}

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        return [
            TaskState(task, state, attempt, "2026-01-01T00:00:14Z" if state == "success" else "", 14.2)
            for task, (state, attempt) in self.states.items()
        ]

    def log(self, dag: str, run: str, task: str, attempt: int) -> list[str]:
        return [f"line {number} of {task}, attempt {attempt}" for number in range(100)]


def _look(airflow: Airflow, watch: RunWatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    watch.look("2026-01-01", "run")
    return capsys.readouterr().out.splitlines()


def _watch(airflow: Airflow) -> RunWatch:
    return RunWatch(cast(AirflowApi, airflow), "dag")


def test_each_transition_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    airflow = Airflow()
    watch = _watch(airflow)
    printed: list[Any] = []
    for state in ("", "scheduled", "queued", "running", "deferred", "queued", "running", "success", "success"):
        airflow.states = {"silver.orders": (state, 1)}
        printed += _look(airflow, watch, capsys)
    assert [line.split() for line in printed] == [
        ["2026-01-01", "silver.orders", "started"],
        ["2026-01-01", "silver.orders", "success", "14", "s"],
    ]


def test_a_failed_try_is_printed_with_its_last_lines_and_the_next_try_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    airflow = Airflow()
    watch = _watch(airflow)
    airflow.states = {"bronze.fx_rates": ("up_for_retry", 1)}
    lines = _look(airflow, watch, capsys)
    assert "failed, will be tried again" in lines[0]
    assert lines[-1] == "  | line 99 of bronze.fx_rates, attempt 1"
    airflow.states = {"bronze.fx_rates": ("running", 2)}
    assert _look(airflow, watch, capsys)[0].endswith("started  (attempt 2)")


def test_a_failed_run_is_explained_by_the_logs_of_its_failed_tasks_only(capsys: pytest.CaptureFixture[str]) -> None:
    airflow = Airflow()
    airflow.states = {
        "silver.orders": ("success", 1),
        "gate.silver": ("failed", 2),
        "gold.fact": ("upstream_failed", 0),
    }
    _watch(airflow).explain("2026-01-01", "run")
    output = capsys.readouterr().out
    assert "line 99 of gate.silver, attempt 2" in output
    assert "silver.orders" not in output
    assert "gold.fact" not in output
