"""A short job is waited for on the worker, a longer one in the triggerer."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred

from sluice_airflow.emr import runs
from tests.plugins.sluice_airflow.emr.fake_emr import STUMBLES, FakeEmr, WorkerTask

LOOKS = 3  # of a worker that waits so long


class Clock:
    """Time that passes by sleeping only; what is planned happens after so many looks."""

    def __init__(self) -> None:
        self.now = 0.0
        self.planned: dict[int, Any] = {}
        self._looks = 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._looks += 1
        self.planned.get(self._looks, lambda: None)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(runs, "time", made)
    monkeypatch.setattr("sluice_airflow.emr.operator.log_client", lambda operator: None)  # there is no S3 with logs
    return made


def task(emr: FakeEmr, seconds: float = LOOKS * runs.LOOK_SECONDS) -> WorkerTask:
    return WorkerTask(emr, settings={"worker_wait_seconds": seconds})


def becomes(emr: FakeEmr, state: str, details: str = "") -> Any:
    return lambda: emr.runs[0].update(state=state, stateDetails=details)


@pytest.mark.parametrize("after", range(1, LOOKS))
def test_job_that_ends_in_time_is_judged_on_the_worker(clock: Clock, after: int) -> None:
    emr = FakeEmr()
    clock.planned[after] = becomes(emr, "SUCCESS")
    waiting = task(emr)
    assert waiting.operator().execute(waiting.context()) == emr.runs[0]["id"]


@pytest.mark.parametrize(("kind", "error"), [("data", AirflowFailException), ("transient", AirflowException)])
def test_job_that_fails_in_time_says_why(clock: Clock, kind: str, error: type[Exception]) -> None:
    emr = FakeEmr()
    report = f'SLUICE-ERROR {{"kind": "{kind}", "error": "X", "message": "why"}}'
    clock.planned[1] = becomes(emr, "FAILED", f"ExitCode: 1. Last few exceptions: {report}")
    waiting = task(emr)
    with pytest.raises(error, match="why") as raised:
        waiting.operator().execute(waiting.context())
    assert isinstance(raised.value, AirflowFailException) == (kind == "data")


@pytest.mark.parametrize("seconds", [0, LOOKS * runs.LOOK_SECONDS])
def test_longer_job_is_handed_to_the_triggerer(clock: Clock, seconds: float) -> None:
    emr = FakeEmr()
    waiting = task(emr, seconds)
    with pytest.raises(TaskDeferred) as deferred:
        waiting.operator().execute(waiting.context())
    assert deferred.value.trigger.serialize()[1]["job_id"] == emr.runs[0]["id"]
    assert clock.now == seconds


def test_killed_task_stops_waiting_and_its_job_run_is_cancelled(clock: Clock) -> None:
    emr = FakeEmr()
    waiting = task(emr)
    operator = waiting.operator()
    clock.planned[1] = operator.on_kill
    with pytest.raises(AirflowException, match="killed"):
        operator.execute(waiting.context())
    assert emr.cancelled == [emr.runs[0]["id"]]
    assert clock.now < LOOKS * runs.LOOK_SECONDS


def test_lost_worker_leaves_the_job_run_to_the_retry(clock: Clock) -> None:
    emr = FakeEmr()

    def lost() -> None:
        raise SystemExit(-9)

    clock.planned[1] = lost
    waiting = task(emr)
    with pytest.raises(SystemExit):
        waiting.operator().execute(waiting.context())
    waiting.try_number = 2
    clock.planned = {2: becomes(emr, "SUCCESS")}
    assert waiting.operator().execute(waiting.context()) == emr.runs[0]["id"]
    assert len(emr.runs) == 1
    assert emr.cancelled == []


@pytest.mark.parametrize("stumble", STUMBLES)
def test_failed_look_is_made_again(clock: Clock, stumble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time", clock)
    emr = FakeEmr()
    emr.spoilt["get_job_run"] = [STUMBLES[stumble]]
    clock.planned[2] = becomes(emr, "SUCCESS")
    waiting = task(emr, 60)
    assert waiting.operator().execute(waiting.context()) == emr.runs[0]["id"]
    assert emr.cancelled == []
