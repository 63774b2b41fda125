from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.module_loading import import_string

from sluice_airflow.emr import trigger as module
from sluice_airflow.emr.trigger import EmrJobTrigger
from tests.plugins.sluice_airflow.emr.fake_emr import STUMBLES, refused


class FakeEmr:
    """An asynchronous client whose job run goes through the given states and stays in the last.

    Attributes:
        refusals: what the next cancels raise.
        unreachable: what the next connections raise.
    """

    def __init__(self, *states: str | Exception) -> None:
        self.states = list(states)
        self.cancelled: list[str] = []
        self.refusals: list[Exception] = []
        self.unreachable: list[Exception] = []

    async def get_job_run(self, *, applicationId: str, jobRunId: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return {"jobRun": {"state": state}}

    async def cancel_job_run(self, *, applicationId: str, jobRunId: str) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.cancelled.append(jobRunId)

    async def get_async_conn(self) -> Any:
        if self.unreachable:
            raise self.unreachable.pop(0)

        @asynccontextmanager
        async def connection() -> AsyncIterator[FakeEmr]:
            yield self

        return connection()


def trigger_on(emr: FakeEmr, monkeypatch: pytest.MonkeyPatch, *, deadline: float = 60) -> EmrJobTrigger:
    monkeypatch.setattr(EmrJobTrigger, "hook", lambda self: emr)
    trigger = EmrJobTrigger(application_id="00app", job_id="00run", deadline=time.time() + deadline)
    trigger.task_instance = own()
    return trigger


async def events(trigger: EmrJobTrigger) -> list[Any]:
    return [event.payload async for event in trigger.run()]


async def ended_by_airflow(trigger: EmrJobTrigger) -> None:
    """Cancel the trigger's coroutine while it waits, as the triggerer does."""
    waiting = asyncio.create_task(events(trigger))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_trigger_in_the_triggerer_is_the_one_that_the_task_made() -> None:
    made = EmrJobTrigger(
        application_id="00app",
        job_id="00run",
        deadline=1234.5,
        earliest=234.5,
        region_name="eu-west-1",
        botocore_config={"read_timeout": 5},
    )
    classpath, arguments = made.serialize()
    assert classpath == "sluice_airflow.emr.trigger.EmrJobTrigger"
    assert import_string(classpath)(**arguments).serialize() == made.serialize()


def test_region_and_botocore_config_reach_the_client() -> None:
    trigger = EmrJobTrigger(
        application_id="00app",
        job_id="00run",
        deadline=0,
        region_name="ap-south-1",
        botocore_config={"read_timeout": 5},
    )
    client = trigger.hook().conn
    assert client.meta.region_name == "ap-south-1"
    assert client.meta.config.read_timeout == 5


@pytest.mark.parametrize("state", ["SUCCESS", "FAILED", "CANCELLED"])
def test_event_names_the_ended_job_run(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = trigger_on(FakeEmr("QUEUED", "RUNNING", state), monkeypatch)
    assert asyncio.run(events(trigger)) == [{"job_id": "00run", "state": state}]


def test_event_comes_when_the_budget_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = trigger_on(FakeEmr("RUNNING"), monkeypatch, deadline=-1)
    assert asyncio.run(events(trigger)) == [{"job_id": "00run", "state": "RUNNING"}]


def test_event_of_a_short_job_run_waits_until_airflow_can_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger, began = trigger_on(FakeEmr("SUCCESS"), monkeypatch), time.time()
    trigger.earliest = began + 1
    assert len(asyncio.run(events(trigger))) == 1
    assert time.time() >= began + 1


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two looks."""

    async def pause(self: EmrJobTrigger, began: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(EmrJobTrigger, "_pause", pause)


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("kind", STUMBLES)
def test_look_that_fails_is_made_again_and_the_job_run_is_left_alone(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    emr = FakeEmr("RUNNING", STUMBLES[kind], STUMBLES[kind], "RUNNING", STUMBLES[kind], "SUCCESS")
    emr.unreachable = [STUMBLES[kind]] * 3
    assert asyncio.run(events(trigger_on(emr, monkeypatch))) == [{"job_id": "00run", "state": "SUCCESS"}]
    assert emr.cancelled == []


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("error", [*STUMBLES.values(), refused("AccessDeniedException", 403)], ids=str)
def test_outage_until_the_budget_is_used_up_is_the_workers_to_judge(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = trigger_on(FakeEmr(error), monkeypatch, deadline=0.2)
    assert asyncio.run(events(trigger)) == [{"job_id": "00run", "state": "UNKNOWN"}]


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ValidationException"])
def test_job_run_that_is_not_there_is_not_looked_for_until_the_deadline(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = trigger_on(FakeEmr("RUNNING", refused(code, 404)), monkeypatch)
    assert asyncio.run(events(trigger)) == [{"job_id": "00run", "state": "GONE"}]


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("kind", STUMBLES)
def test_cancel_that_is_not_answered_is_asked_for_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    emr = FakeEmr("RUNNING")
    emr.refusals = [STUMBLES[kind]] * 3
    airflow_says(monkeypatch, {"load": "failed"})
    asyncio.run(ended_by_airflow(trigger_on(emr, monkeypatch)))
    assert emr.cancelled == ["00run"]


@pytest.mark.usefixtures("no_pauses")
def test_cancel_that_never_gets_through_is_left_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    emr = FakeEmr("RUNNING")
    emr.refusals = [refused("AccessDeniedException", 403)] * 5000
    monkeypatch.setattr(module, "CANCEL_SECONDS", 0.1)
    airflow_says(monkeypatch, {"load": "failed"})
    asyncio.run(ended_by_airflow(trigger_on(emr, monkeypatch)))
    assert emr.cancelled == []


@pytest.mark.parametrize(
    ("state", "ended"),
    [(name, False) for name in ("deferred", "scheduled", "queued", "running", "restarting", "up_for_retry")]
    + [(name, True) for name in ("failed", "success", "skipped", "removed", "upstream_failed", None)],
)
@pytest.mark.parametrize("map_index", [-1, 0, 13])
def test_job_run_is_cancelled_when_nobody_answers_for_it_any_more(
    state: str | None, ended: bool, map_index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    emr = FakeEmr("RUNNING")
    # As Airflow's API names them: a mapped task instance has its index in its name.
    airflow_says(monkeypatch, {"load" if map_index < 0 else f"load_{map_index}": state})
    trigger = trigger_on(emr, monkeypatch)
    trigger.task_instance = own(map_index)
    asyncio.run(ended_by_airflow(trigger))
    assert emr.cancelled == (["00run"] if ended else [])


def test_triggerer_that_gets_no_answer_of_airflow_leaves_the_job_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(**asked: Any) -> Any:
        raise ConnectionError("the API server is stopping too")

    emr = FakeEmr("RUNNING")
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", silent)
    trigger = trigger_on(emr, monkeypatch)
    trigger.task_instance = own()
    asyncio.run(ended_by_airflow(trigger))
    assert emr.cancelled == []


def own(map_index: int = -1) -> Any:
    return SimpleNamespace(dag_id="lake", run_id="r", task_id="load", map_index=map_index)


def airflow_says(monkeypatch: pytest.MonkeyPatch, states: dict[str, str | None]) -> None:
    def task_states(*, dag_id: str, task_ids: list[str], run_ids: list[str], map_index: int) -> Any:
        assert (dag_id, task_ids, run_ids) == ("lake", ["load"], ["r"])
        return {"r": states}

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", task_states)


@pytest.mark.parametrize("task_state", ["failed", "success", None])
def test_ended_task_cancels_the_job_run(task_state: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def get_task_state(self: EmrJobTrigger) -> str | None:
        return task_state

    emr = FakeEmr("RUNNING")
    monkeypatch.setattr(EmrJobTrigger, "get_task_state", get_task_state)
    asyncio.run(ended_by_airflow(trigger_on(emr, monkeypatch)))
    assert emr.cancelled == ["00run"]


def test_triggerer_that_shuts_down_leaves_the_job_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get_task_state(self: EmrJobTrigger) -> str:
        return "deferred"

    emr = FakeEmr("RUNNING")
    monkeypatch.setattr(EmrJobTrigger, "get_task_state", get_task_state)
    asyncio.run(ended_by_airflow(trigger_on(emr, monkeypatch)))
    assert emr.cancelled == []


def test_deleted_dag_run_cancels_the_job_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get_task_state(self: EmrJobTrigger) -> str:
        raise ValueError("TaskInstance is not found")  # as the provider does

    emr = FakeEmr("RUNNING")
    monkeypatch.setattr(EmrJobTrigger, "get_task_state", get_task_state)
    asyncio.run(ended_by_airflow(trigger_on(emr, monkeypatch)))
    assert emr.cancelled == ["00run"]
