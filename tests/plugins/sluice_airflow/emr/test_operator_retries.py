"""A task that is submitted again has one live job run on the local EMR Serverless, and leaves those of others alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowException

from tests.plugins.sluice_airflow.airflow_task import Task, job_id

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws


def test_repeated_submission_of_one_try_is_one_job_run(aws: LocalAws) -> None:
    task = Task(aws, "repeated", step="done")
    first = task.run()
    assert task.run() == first
    assert len(aws.runs("repeated")) == 1


@pytest.mark.slow
def test_retry_after_a_failure_starts_a_new_job_run(aws: LocalAws) -> None:
    task = Task(aws, "retried", step="report.system")
    for task.try_number in (1, 2):
        with pytest.raises(AirflowException):
            task.run()
    names = [run["name"] for run in aws.runs("retried")]
    assert [name[-5:] for name in names] == ["try 1", "try 2"]


def test_retry_after_worker_loss_adopts_the_live_job_run(aws: LocalAws) -> None:
    task = Task(aws, "lost", step="sleep")
    lost = job_id(task.start())
    task.try_number = 2
    assert job_id(task.start()) == lost
    assert len(aws.runs("lost")) == 1
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=lost)


def test_cleared_task_starts_again_after_its_old_job_run_was_cancelled(aws: LocalAws) -> None:
    task = Task(aws, "cleared", step="sleep")
    old = job_id(task.start())
    task.clear()
    new = job_id(task.start())
    assert new != old
    assert aws.job(old)["state"] == "CANCELLED"
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=new)


def test_live_job_run_of_another_task_is_left_alone(aws: LocalAws) -> None:
    other = Task(aws, "neighbour", step="sleep")
    neighbour = job_id(other.start())
    assert job_id(Task(aws, "neighbour.two", step="done").start()) != neighbour
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=neighbour)


def test_retry_waits_until_a_cancelled_job_run_has_stopped(aws: LocalAws) -> None:
    task = Task(aws, "stubborn", step="stubborn.4")
    first = job_id(task.start())
    aws.wait_for(first, "RUNNING")
    time.sleep(3)  # until its Python ignores SIGTERM
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=first)
    task.try_number = 2
    task.arguments["step"] = "done"
    second = job_id(task.start())
    assert second != first
    assert aws.job(first)["state"] == "CANCELLED"
