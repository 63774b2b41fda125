"""A task that ends before its job run cancels it on the local EMR Serverless."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowException, TaskDeferred

from tests.plugins.sluice_airflow.airflow_task import Task, job_id

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws


def test_kill_on_the_worker_cancels_the_job_run(aws: LocalAws) -> None:
    task = Task(aws, "killed", step="sleep")
    operator = task.operator()
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(task.context())
    operator.on_kill()
    assert aws.wait_for(job_id(deferred.value), "CANCELLED") == "CANCELLED"


def test_used_up_wait_budget_cancels_the_job_run(aws: LocalAws) -> None:
    task = Task(aws, "late", step="sleep", execution_timeout_minutes=600)
    deferred = task.start()
    deferred.trigger.deadline = time.time()
    with pytest.raises(AirflowException, match="600 minutes to run and 60 to queue were over; cancelled"):
        task.finish(deferred)
    assert aws.wait_for(job_id(deferred), "CANCELLED") == "CANCELLED"


def test_wait_that_airflow_timed_out_cancels_the_job_run(aws: LocalAws) -> None:
    task = Task(aws, "timed.out", step="sleep", execution_timeout_minutes=600)
    run = job_id(task.start())
    with pytest.raises(AirflowException, match="Trigger timeout"):
        task.operator().resume_execution("__fail__", {"error": "Trigger timeout"}, task.context())
    assert aws.wait_for(run, "CANCELLED") == "CANCELLED"


def test_lost_trigger_leaves_the_job_run_for_the_retry(aws: LocalAws) -> None:
    task = Task(aws, "trigger.lost", step="sleep", execution_timeout_minutes=600)
    run = job_id(task.start())
    with pytest.raises(AirflowException, match="Trigger failure"):
        task.operator().resume_execution("__fail__", {"error": "Trigger failure"}, task.context())
    assert aws.job(run)["state"] in ("QUEUED", "PENDING", "SCHEDULED", "RUNNING")
    task.try_number = 2
    assert job_id(task.start()) == run
    assert aws.job(run)["tags"]["try"] == "2"
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=run)
