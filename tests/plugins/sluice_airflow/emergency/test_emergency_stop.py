"""Everything is stopped, and exactly what ran runs again, whatever was stopped before, killed, or changed since."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from sluice_airflow.emergency import job_runs, stop_record
from sluice_airflow.emergency.airflow_api import AirflowApi
from sluice_airflow.stream.desired_state import DesiredStateObject
from tests.plugins.sluice_airflow.emergency.scene import DESIRED, RECORD, Scene, killed_at

RAN = {"daily": False, "stream_dag": False, "weekly": True, "manual_restore": False}
STOPPED = {"daily": True, "stream_dag": True, "weekly": True, "manual_restore": False}


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene(monkeypatch)
    made.starts()
    return made


def test_stop_pauses_drains_cancels_and_says_what(scene: Scene) -> None:
    done = scene.act("stop")

    assert scene.airflow.paused == STOPPED
    assert (scene.state(scene.stream), scene.state(scene.batch)) == ("SUCCESS", "CANCELLED"), "the stream drained"
    assert scene.state(scene.other) == "RUNNING", "it is another project's"
    assert done == {
        "paused": ["daily", "stream_dag"],
        "drained": ["bronze.events"],
        "cancelled": {scene.batch: "daily/silver run-1 #0 try 1"},
    }
    kept = scene.s3.json(RECORD)
    assert kept
    assert {name: kept["stopped"][name] for name in ("who", "why", "run_id")} == {
        "who": "Ann", "why": "strange rows", "run_id": "manual__1",
    }  # fmt: skip
    assert (kept["dags"], list(kept["streams"]), kept["undone"]) == (["daily", "stream_dag"], ["bronze.events"], None)


def test_undo_lets_exactly_that_run_which_ran(scene: Scene) -> None:
    desired = {"wanted": "running", "code": "abc", "by": "scheduled__1"}
    scene.s3.objects[DESIRED] = json.dumps(desired).encode()
    scene.act("stop")

    done = scene.act("undo", who="Bo", why="mended")

    assert scene.airflow.paused == RAN
    assert scene.s3.json(DESIRED) == desired
    assert done == {"unpaused": ["daily", "stream_dag"], "wanted": ["bronze.events"]}
    kept = scene.s3.json(RECORD)
    assert kept
    assert (kept["undone"]["who"], kept["undone"]["why"]) == ("Bo", "mended")


def test_stream_that_was_stopped_before_stays_so(scene: Scene) -> None:
    before = {"wanted": "stopped", "code": "", "by": "manual__old"}
    scene.s3.objects[DESIRED] = json.dumps(before).encode()
    scene.driver_looks()
    assert scene.act("stop")["drained"] == []
    scene.act("undo")
    assert scene.s3.json(DESIRED) == before


def test_second_stop_keeps_what_ran_at_the_first_and_stops_what_was_started_since(scene: Scene) -> None:
    scene.act("stop")
    first = scene.s3.json(RECORD)
    scene.airflow.paused["weekly"] = False  # a person unpauses it, and a job run starts
    late = scene.emr.add("weekly/x", tags={"project": "sluice"})

    done = scene.act("stop", who="Bo")

    assert scene.s3.json(RECORD) == first
    assert (done["paused"], scene.state(late)) == (["weekly"], "CANCELLED")
    scene.act("undo")
    assert scene.airflow.paused == RAN


def test_undo_without_a_stop_says_so(scene: Scene) -> None:
    with pytest.raises(AirflowSkipException, match=r"nothing is stopped$"):
        scene.act("undo")
    scene.act("stop")
    scene.act("undo", who="Bo", why="mended")
    scene.airflow.asked.clear()
    with pytest.raises(AirflowSkipException, match=r"nothing is stopped: the last stop was undone by Bo, .*: mended"):
        scene.act("undo")
    assert scene.airflow.asked == []


def test_stop_after_an_undo_is_a_new_one(scene: Scene) -> None:
    scene.act("stop")
    scene.act("undo")
    scene.airflow.paused["daily"] = True
    scene.act("stop", why="again")
    kept = scene.s3.json(RECORD)
    assert kept
    assert (kept["dags"], kept["stopped"]["why"], kept["undone"]) == (["stream_dag"], "again", None)


KILLS: dict[str, tuple[Any, str, str]] = {
    "before the record": (stop_record, "write", ""),
    "before the first pause": (AirflowApi, "pause", "'daily'"),
    "between two pauses": (AirflowApi, "pause", "'stream_dag'"),
    "before the stream is told": (DesiredStateObject, "write", ""),
    "before the last look": (job_runs.ProjectRuns, "unended", ""),
}


@pytest.mark.parametrize("kill", KILLS)
def test_stop_that_was_killed_goes_on_and_forgets_nothing(
    kill: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_again = killed_at(monkeypatch, *KILLS[kill])
    with pytest.raises(KeyboardInterrupt):
        scene.act("stop")
    live_again()

    scene.act("stop", again=True)

    assert scene.airflow.paused == STOPPED
    assert (scene.state(scene.stream), scene.state(scene.batch)) == ("SUCCESS", "CANCELLED")
    scene.act("undo")
    assert scene.airflow.paused == RAN
    assert (scene.s3.json(DESIRED) or {})["wanted"] == "running"


@pytest.mark.parametrize(
    "kill", [(DesiredStateObject, "write", ""), (AirflowApi, "pause", "'stream_dag'"), (stop_record, "write", "")]
)
def test_undo_that_was_killed_goes_on(
    kill: tuple[Any, str, str], scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.act("stop")
    live_again = killed_at(monkeypatch, *kill)
    with pytest.raises(KeyboardInterrupt):
        scene.act("undo")
    live_again()

    done = scene.act("undo", again=True)

    assert scene.airflow.paused == RAN
    assert done == {"unpaused": ["daily", "stream_dag"], "wanted": ["bronze.events"]}


def test_what_a_person_changed_since_the_stop_is_left_so(scene: Scene) -> None:
    scene.act("stop")
    changed = {"wanted": "stopped", "code": "", "by": "manual__later"}
    scene.s3.objects[DESIRED] = json.dumps(changed).encode()
    del scene.airflow.paused["daily"]  # the DAG was taken away

    assert scene.act("undo") == {"unpaused": ["stream_dag"], "wanted": []}
    assert scene.s3.json(DESIRED) == changed


def test_stop_ends_only_when_no_task_can_start_a_job_run_any_more(scene: Scene) -> None:
    scene.airflow.working["daily"] = ["silver", "gold"]
    real, late = scene.airflow.__call__, []

    def ask(*asked: Any) -> dict[str, Any]:
        answer = real(*asked)
        if asked[1].endswith("/taskInstances") and answer["task_instances"] and not late:
            late.append(scene.emr.add("daily/silver run-1 #0 try 2", tags={"project": "sluice"}))
        return answer

    scene.airflow = ask  # type: ignore[assignment]
    done = scene.act("stop")
    assert late
    assert late[0] in done["cancelled"]


def test_what_can_not_be_stopped_holds_up_nothing_else_and_is_told(scene: Scene) -> None:
    scene.airflow.broken = {"daily"}
    with pytest.raises(AirflowException, match=r"not all was done.*DAG daily: Airflow answered 500"):
        scene.act("stop")
    assert scene.airflow.paused["stream_dag"]
    assert scene.state(scene.batch) == "CANCELLED"

    scene.airflow.broken = set()
    scene.act("stop", again=True)
    scene.airflow.broken = {"daily"}
    with pytest.raises(AirflowException, match="DAG daily"):
        scene.act("undo")
    scene.airflow.broken = set()
    scene.act("undo", again=True)
    assert scene.airflow.paused == RAN


def test_job_run_that_does_not_end_is_named(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.emr.run(scene.batch)["state"] = "CANCELLING"
    monkeypatch.setattr("sluice_airflow.emergency.operator.END_SECONDS", -1.0)
    with pytest.raises(AirflowException, match=f"there is still job run {scene.batch} \\(CANCELLING\\)"):
        scene.act("stop")


@pytest.mark.parametrize(("who", "why"), [("", "x"), ("Ann", " ")])
def test_nobody_stops_anything(who: str, why: str, scene: Scene) -> None:
    for action in ("stop", "undo"):
        with pytest.raises(AirflowFailException, match="who and why"):
            scene.act(action, who=who, why=why)
    assert scene.airflow.paused == RAN
