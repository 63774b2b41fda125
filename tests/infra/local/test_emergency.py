"""The command that stops everything: it starts the DAG, waits, and shows what that did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local import __main__ as shell
from infra.local import emergency
from infra.local.addresses import Addresses
from infra.local.airflow_api import TaskState
from infra.local.errors import PlatformError

ADDRESSES = Addresses(Path("/state"), 18900)


class Airflow:
    """Runs the DAG to the state that a test wants."""

    asked: list[dict[str, Any]] = []  # noqa: RUF012 - each test has its own
    states = ("success", "success")  # of the run and of its task

    def __init__(self, address: str) -> None:
        self.looks = 0

    def trigger(self, dag: str, parameters: dict[str, Any]) -> str:
        self.asked.append({"dag": dag, **parameters})
        return "manual__1"

    def ended(self, dag: str, run: str) -> str:
        self.looks += 1
        return self.states[0] if self.looks > 1 else ""

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        return [TaskState("emergency_stop", self.states[1], 2, "", None)]

    def log(self, dag: str, run: str, task: str, attempt: int) -> list[str]:
        return [f"log of {task} attempt {attempt}"]


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> type[Airflow]:
    made = type("Airflow", (Airflow,), {"asked": []})
    monkeypatch.setattr(emergency, "AirflowApi", made)
    return made


@pytest.mark.parametrize(
    ("states", "code", "said"),
    [
        (("success", "success"), 0, "stop: success"),
        (("success", "skipped"), 0, "stop: there was nothing to undo"),
        (("failed", "failed"), 1, "stop: failed"),
    ],
)
def test_command_shows_what_was_done(
    airflow: type[Airflow], states: tuple[str, str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = states
    assert emergency.act(ADDRESSES, "stop", "Ann", "strange rows") == code
    assert airflow.asked == [{"dag": "emergency_stop", "action": "stop", "who": "Ann", "why": "strange rows"}]
    shown = capsys.readouterr().out
    assert "log of emergency_stop attempt 2" in shown
    assert said in shown


@pytest.mark.parametrize(("who", "why"), [("", "x"), ("Ann", " ")])
def test_nobody_stops_anything(airflow: type[Airflow], who: str, why: str) -> None:
    with pytest.raises(PlatformError, match="say who decided it and why"):
        emergency.act(ADDRESSES, "stop", who, why)
    assert airflow.asked == []


def test_words_of_the_shell_reach_it(airflow: type[Airflow]) -> None:
    assert shell.main(["emergency", "undo", "--who=Ann", "--why=-odd"]) == 0
    assert airflow.asked[0]["action"] == "undo"
    assert airflow.asked[0]["why"] == "-odd"
