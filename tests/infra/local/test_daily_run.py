"""What `run` asks of Airflow, for each state of the scheduled days."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local import airflow, daily_run, gold_report
from infra.local.addresses import Addresses
from infra.local.airflow_api import TaskState
from infra.local.errors import PlatformError

ADDRESSES = Addresses(Path("/state"), 18900)
FIRST, LAST = airflow.schedule()
DAYS = [FIRST.isoformat(), (FIRST + timedelta(days=1)).isoformat(), LAST.isoformat()]


class Airflow:
    """An Airflow whose first days have these states. When unpaused, it makes the others, and goes on at every look."""

    def __init__(self, *states: str, outcomes: tuple[str, ...] = ()) -> None:
        """Runs end with these outcomes, one after another; after the last, all succeed."""
        self.states = dict(zip(DAYS, states, strict=False))
        self.outcomes = list(outcomes)
        self.asked: list[str] = []

    def dag(self, dag: str) -> dict[str, Any]:
        return {}

    def import_errors(self) -> list[str]:
        return []

    def pause(self, dag: str, paused: bool) -> None:
        self.asked.append("pause" if paused else "unpause")

    def backfill(self, dag: str, first: date, last: date) -> None:
        self.asked.append(f"backfill {first} to {last}")
        self.states = {day: "queued" for day in DAYS if first.isoformat() <= day <= last.isoformat()} | self.states

    def clear_failed(self, dag: str, run: str) -> None:
        self.asked.append(f"clear {run}")
        self.states[run] = "queued"

    def runs(self, dag: str, *, since: date) -> list[dict[str, Any]]:
        assert since == FIRST
        found = [
            {"logical_date": f"{day}T00:00:00Z", "dag_run_id": day, "state": state, "duration": 1.0}
            for day, state in self.states.items()
        ]
        if "unpause" in self.asked:
            self.states = {day: self._next(self.states.get(day)) for day in DAYS}
        return found

    def _next(self, state: str | None) -> str:
        if state == "running":
            return self.outcomes.pop(0) if self.outcomes else "success"
        return {None: "queued", "queued": "running"}.get(state, str(state))

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        return [TaskState("gate.silver", self.states[run], 1, "", None)]

    def log(self, dag: str, run: str, task: str, attempt: int) -> list[str]:
        return [f"why {task} of {run} failed"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(airflow: Airflow) -> int:
        monkeypatch.setattr(daily_run, "AirflowApi", lambda address: airflow)
        monkeypatch.setattr(gold_report, "show", lambda *_: airflow.asked.append("gold"))
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        return daily_run.run(ADDRESSES)

    return run


def test_days_that_are_done_stay_as_they_are_and_gold_is_shown(run: Any) -> None:
    airflow = Airflow("success", "success", "success")
    assert run(airflow) == 0
    assert airflow.asked == ["gold"]


def test_open_days_are_followed_to_their_end(run: Any) -> None:
    airflow = Airflow("success", "running", "queued")
    assert run(airflow) == 0
    assert airflow.asked == ["unpause", "gold"]


@pytest.mark.parametrize("failed", [(), ("failed",)], ids=["good", "bad once"])
def test_days_before_those_that_are_done_are_backfilled(run: Any, failed: tuple[str, ...]) -> None:
    """After `SLUICE_DAYS=1 make run`: the scheduler never goes back."""
    airflow = Airflow(outcomes=failed)
    airflow.states = {DAYS[2]: "success"}
    assert run(airflow) == len(failed)
    assert airflow.asked[:2] == [f"backfill {DAYS[0]} to {DAYS[1]}", "unpause"]
    assert airflow.asked[2:] == (["pause"] if failed else ["gold"])


def test_a_day_whose_run_was_deleted_is_backfilled_alone(run: Any) -> None:
    airflow = Airflow()
    airflow.states = {DAYS[0]: "success", DAYS[2]: "success"}
    assert run(airflow) == 0
    assert airflow.asked == [f"backfill {DAYS[1]} to {DAYS[1]}", "unpause", "gold"]


@pytest.mark.parametrize("given", ["0", "-1", "three", "1.5"])
def test_days_that_are_no_number_are_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("SLUICE_DAYS", given)
    with pytest.raises(PlatformError, match=f"SLUICE_DAYS is '{given}'"):
        airflow.schedule()


def test_a_day_that_failed_before_is_run_again(run: Any) -> None:
    airflow = Airflow("success", "failed", "success")
    assert run(airflow) == 0
    assert airflow.asked == ["unpause", f"clear {DAYS[1]}", "gold"]


def test_a_running_day_that_fails_for_a_cause_repaired_since_gets_one_more_chance(run: Any) -> None:
    airflow = Airflow("success", "running", "success", outcomes=("failed", "success"))
    assert run(airflow) == 0
    assert airflow.asked == ["unpause", f"clear {DAYS[1]}", "gold"]


def test_a_day_that_fails_again_ends_the_run(run: Any) -> None:
    airflow = Airflow("success", "failed", "success", outcomes=("failed",))
    assert run(airflow) == 1
    assert airflow.asked == ["unpause", f"clear {DAYS[1]}", "pause"]


def test_a_new_day_that_fails_ends_the_run_with_its_log_and_without_gold(
    run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = Airflow("success", "success", outcomes=("failed",))
    assert run(airflow) == 1
    assert airflow.asked == ["unpause", "pause"]
    assert f"why gate.silver of {DAYS[2]} failed" in capsys.readouterr().out
