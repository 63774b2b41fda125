"""A stream that has to end, on the local EMR Serverless: for a new release, a restart, or because it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from sluice_airflow.stream import drain as stream_drain
from sluice_airflow.stream.desired_state import NO_RELEASE, DesiredState
from tests.plugins.sluice_airflow.stream.stream_task import NEXT

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws
    from tests.plugins.sluice_airflow.stream.stream_task import StreamTask

    Make = Callable[..., StreamTask]


def running(task: StreamTask) -> str:
    """Starts the stream and gives its job run's id once its driver runs."""
    job = task.scheduled() or ""
    task.aws.wait_for(job, "RUNNING")
    return job


@pytest.mark.slow
def test_new_release_takes_over_when_the_old_one_has_drained(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("released")
    old = running(task)
    task.deploy(NEXT)
    new = task.scheduled() or ""
    assert aws.job(old)["state"] == "SUCCESS"
    assert aws.job(old)["endedAt"] <= aws.job(new)["createdAt"]
    assert " code next " in aws.job(new)["name"]
    assert task.desired_state == DesiredState("running", "next", "scheduled__2")
    assert task.scheduled() == new


def test_stream_that_does_not_drain_is_cancelled_and_then_replaced(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("deaf", step="sleep", drain_seconds=1)
    old = running(task)
    task.deploy(NEXT)
    new = task.scheduled() or ""
    assert aws.job(old)["state"] == "CANCELLED"
    assert aws.job(old)["endedAt"] <= aws.job(new)["createdAt"]


def test_stream_gets_its_time_to_drain(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("slow", step="sleep", drain_seconds=5)
    old = running(task)
    task.by_hand("stop")
    ended = aws.job(old)
    assert (ended["endedAt"] - ended["startedAt"]).total_seconds() >= 5


def test_job_run_that_has_not_begun_is_cancelled_without_waiting(aws: LocalAws, stream_task: Make) -> None:
    others = [stream_task(f"neighbour.{number}", step="sleep") for number in range(3)]
    for other in others:
        other.scheduled()
    task = stream_task("queued", drain_seconds=180)
    old = task.scheduled() or ""
    assert aws.job(old)["state"] == "QUEUED"
    task.deploy(NEXT)
    new = task.scheduled()
    assert new != old
    assert aws.job(old)["state"] == "CANCELLED"


@pytest.mark.slow
def test_no_stream_starts_beside_one_that_is_still_being_cancelled(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("dying", step="stubborn.5")
    old = running(task)
    aws.s3.get_waiter("object_exists").wait(  # until it ignores SIGTERM
        Bucket="sluice-lake", Key="stubborn.5", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=old)
    new = task.scheduled() or ""
    assert aws.job(old)["endedAt"] <= aws.job(new)["createdAt"]


def test_task_fails_rather_than_start_a_second_stream_beside_one_that_does_not_end(
    stream_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = stream_task("undead", step="sleep", drain_seconds=1)
    old = running(task)
    monkeypatch.setattr(stream_drain, "CANCELLING_SECONDS", 1)
    monkeypatch.setattr("sluice_airflow.emr.runs.JobRuns.cancel", lambda self, job_id, why: None)
    task.deploy(NEXT)
    with pytest.raises(AirflowException, match=rf"job run {old} \(RUNNING\): still not over"):
        task.scheduled()
    assert [run["id"] for run in task.runs] == [old]


def test_stopped_stream_drains_and_starts_again_only_by_hand(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("stopped")
    old = running(task)
    assert task.by_hand("stop") is None
    assert aws.job(old)["state"] == "SUCCESS"
    with pytest.raises(
        AirflowSkipException, match=r"stopped by manual__2\. To start it .* trigger lake with action=run"
    ):
        task.scheduled()
    assert len(task.runs) == 1
    new = task.by_hand("run") or ""
    assert aws.job(new)["name"].endswith("start 2")
    assert task.desired_state == DesiredState("running", "test", "manual__4")
    assert task.scheduled() == new


@pytest.mark.slow
def test_scheduled_run_ends_what_a_stop_has_left_running(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("half.stopped")
    left = running(task)
    task.desired_state = DesiredState("stopped", by="manual__0")
    with pytest.raises(AirflowSkipException, match="stopped by manual__0"):
        task.scheduled()
    assert aws.job(left)["state"] == "SUCCESS"


@pytest.mark.slow
def test_restart_drains_the_stream_and_starts_a_new_one_once_each_time_it_is_asked_for(
    aws: LocalAws, stream_task: Make
) -> None:
    task = stream_task("restarted")
    old = running(task)
    new = task.by_hand("restart") or ""
    assert aws.job(old)["state"] == "SUCCESS"
    assert aws.job(old)["endedAt"] <= aws.job(new)["createdAt"]
    assert task.again() == new, "a retry restarted it again"
    cleared = task.again(clear=True)
    assert cleared != new
    assert task.scheduled() == cleared


def test_restart_starts_a_stopped_stream(stream_task: Make) -> None:
    task = stream_task("woken")
    task.by_hand("stop")
    new = task.by_hand("restart")
    assert task.scheduled() == new


@pytest.mark.slow
def test_restart_that_was_lost_on_its_way_is_finished_by_the_next_scheduled_run(
    aws: LocalAws, stream_task: Make
) -> None:
    task = stream_task("lost.restart")
    old = running(task)
    task.desired_state = DesiredState("running", NO_RELEASE, "manual__0")
    new = task.scheduled() or ""
    assert new != old
    assert aws.job(old)["state"] == "SUCCESS"
    assert task.desired_state.code == "test"
