"""A keeper that was held up does not undo what a later one did: it ends only what it has seen, and asks for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException

from sluice_airflow.emr.runs import JobRuns
from sluice_airflow.stream import drain as stream_drain
from sluice_airflow.stream.desired_state import DesiredState
from sluice_airflow.stream.keep_alive import EmrStreamOperator
from sluice_airflow.stream.runs import StreamRuns
from tests.plugins.sluice_airflow.emr.fake_emr import SETTINGS, FakeEmr
from tests.plugins.sluice_airflow.stream.stream_task import NEXT, StreamTask

PREFIX = "lake/keeper "
OLD, NEW = f"{PREFIX}code test #0123456789ab start 1", f"{PREFIX}code next #ba9876543210 start 2"


class Wish:
    """The desired state in memory, with the time at which it was written."""

    def __init__(self, *written: tuple[DesiredState, datetime]) -> None:
        self.written = list(written)

    def look(self) -> tuple[DesiredState, datetime | None]:
        return self.written[-1] if self.written else (DesiredState(), None)

    def read(self) -> DesiredState:
        return self.look()[0]

    def write(self, desired: DesiredState) -> DesiredState:
        self.written.append((desired, datetime.now(UTC)))
        return desired


def keeper(emr: FakeEmr, wish: Wish, *, release: str | None = None) -> tuple[EmrStreamOperator, Any]:
    """A keeper, and the context of its DAG run, which begins now."""
    aws: Any = SimpleNamespace(settings=SETTINGS)
    task = StreamTask(aws, "keeper")
    if release:
        task.deploy(release)
    operator = task.operator()
    operator.__dict__ |= {"hook": SimpleNamespace(conn=emr), "_desired_state": wish}
    return operator, task.dag_run("scheduled", {"action": "run"})


@pytest.fixture
def emr(monkeypatch: pytest.MonkeyPatch) -> FakeEmr:
    monkeypatch.setattr(stream_drain, "POLL_SECONDS", 0)
    return FakeEmr()


def test_drain_ends_the_job_runs_that_it_was_given_and_not_the_one_that_another_keeper_starts(
    emr: FakeEmr, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = emr.add(OLD, mode="STREAMING")
    stream, polls = StreamRuns(JobRuns(emr, "00app"), PREFIX), []

    def poll(seconds: float) -> None:
        polls.append(seconds)
        if len(polls) == 1:  # the old one ends, and another keeper starts the next
            emr.run(old)["state"] = "SUCCESS"
            emr.add(NEW, mode="STREAMING")

    monkeypatch.setattr(stream_drain, "time", SimpleNamespace(sleep=poll, monotonic=lambda: float(len(polls))))
    stream_drain.drain(stream, [old], "a new release is to start", seconds=0.5)
    assert emr.cancelled == []
    assert len(polls) == 1


def test_keeper_of_an_old_release_leaves_the_stream_of_the_new_one(emr: FakeEmr) -> None:
    wish = Wish()
    held_up, context = keeper(emr, wish)
    new = emr.add(NEW, mode="STREAMING")
    wish.written = [(DesiredState(code="next", by="scheduled__2"), datetime.now(UTC) + timedelta(seconds=1))]
    with pytest.raises(AirflowException, match="scheduled__2 has asked for something else meanwhile"):
        held_up.execute(context)
    assert (emr.run(new)["state"], len(emr.runs), wish.read().code) == ("RUNNING", 1, "next")


def test_keeper_of_the_new_release_takes_over_what_was_asked_before_it_began(emr: FakeEmr) -> None:
    wish = Wish((DesiredState(code="test", by="scheduled__1"), datetime.now(UTC) - timedelta(minutes=5)))
    taking_over, context = keeper(emr, wish, release=NEXT)
    old = emr.add(OLD, state="CANCELLED", mode="STREAMING")
    taking_over.execute(context)
    assert wish.read().code == "next"
    assert [run["name"] for run in emr.runs if run["id"] != old] != []


def test_keeper_starts_nothing_beside_what_another_started_while_it_drained(
    emr: FakeEmr, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Wish()
    held_up, context = keeper(emr, wish, release=NEXT)
    old = emr.add(OLD, mode="STREAMING")

    def drained(stream: StreamRuns, ids: list[str], why: str, *, seconds: float) -> None:
        assert ids == [old]
        emr.run(old)["state"] = "SUCCESS"
        emr.add(NEW, mode="STREAMING")

    monkeypatch.setattr("sluice_airflow.stream.keep_alive.drain", drained)
    with pytest.raises(AirflowException, match="was started meanwhile; it is left alone"):
        held_up.execute(context)
    assert len(emr.runs) == 2
    assert emr.cancelled == []


def test_stream_has_the_role_of_its_kind(emr: FakeEmr) -> None:
    operator, context = keeper(emr, Wish())
    operator.step, operator.execution_role_arn = "bronze.orders_events", "arn:aws:iam::1:role/sluice-job-{kind}"
    operator.execute(context)
    assert emr.runs[-1]["executionRoleArn"] == "arn:aws:iam::1:role/sluice-job-stream"
