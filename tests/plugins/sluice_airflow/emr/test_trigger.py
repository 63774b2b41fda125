from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from airflow.sdk.module_loading import import_string

from sluice_airflow.emr.trigger import EmrJobTrigger


class FakeEmr:
    """An asynchronous client whose job run goes through the given states and stays in the last."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)
        self.cancelled: list[str] = []

    async def get_job_run(self, *, applicationId: str, jobRunId: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"jobRun": {"state": state}}

    async def cancel_job_run(self, *, applicationId: str, jobRunId: str) -> None:
        self.cancelled.append(jobRunId)

    async def get_async_conn(self) -> Any:
        @asynccontextmanager
        async def connection() -> AsyncIterator[FakeEmr]:
            yield self

        return connection()


def trigger_on(emr: FakeEmr, monkeypatch: pytest.MonkeyPatch, *, deadline: float = 60) -> EmrJobTrigger:
    monkeypatch.setattr(EmrJobTrigger, "hook", lambda self: emr)
    return EmrJobTrigger(application_id="00app", job_id="00run", deadline=time.time() + deadline)


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
