"""The operator against the local EMR Serverless, on the path that Airflow takes: execute, trigger, resume."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException, TaskDeferred
from airflow.sdk.module_loading import import_string

from emr_job import EmrJobOperator

if TYPE_CHECKING:
    from conftest import LocalAws

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


class Task:
    """One task of one DAG run, as Airflow drives it: a new operator wherever there would be a new process."""

    def __init__(self, aws: LocalAws, task_id: str, *, step: str, **arguments: Any) -> None:
        self.arguments = {**aws.settings, "task_id": task_id, "step": step, **arguments}
        self.params: dict[str, Any] = {}
        self.xcoms: dict[str, Any] = {}
        self.try_number = 1
        self.clear_number = 0

    def operator(self) -> EmrJobOperator:
        return EmrJobOperator(**self.arguments)

    def context(self) -> Any:
        task_instance = SimpleNamespace(
            dag_id="lake",
            run_id="scheduled__2026-11-20",
            task_id=self.arguments["task_id"],
            map_index=-1,
            try_number=self.try_number,
            xcom_push=lambda key, value: self.xcoms.__setitem__(key, value),
        )
        dag_run = SimpleNamespace(
            run_type="scheduled",
            data_interval_start=datetime(2026, 11, 19, tzinfo=UTC),
            data_interval_end=MIDNIGHT,
            run_after=MIDNIGHT,
            start_date=MIDNIGHT,
            clear_number=self.clear_number,
        )
        return {
            "ti": task_instance,
            "dag_run": dag_run,
            "run_id": task_instance.run_id,
            "params": self.params,
        }

    def start(self) -> TaskDeferred:
        """Run the task up to its deferral."""
        with pytest.raises(TaskDeferred) as deferred:
            self.operator().execute(self.context())
        assert deferred.value.trigger.earliest > time.time() + 5
        deferred.value.trigger.earliest = 0.0  # nothing here needs the pause
        return deferred.value

    def finish(self, deferred: TaskDeferred) -> Any:
        """Let the trigger wait, then resume the task with its event."""
        event = asyncio.run(first_event(deferred))
        return self.operator().resume_execution(deferred.method_name, {"event": event}, self.context())

    def run(self) -> Any:
        return self.finish(self.start())


async def first_event(deferred: TaskDeferred) -> Any:
    """What the triggerer gets of a trigger that went through the database."""
    classpath, kwargs = deferred.trigger.serialize()
    trigger = import_string(classpath)(**json.loads(json.dumps(kwargs)))
    async for event in trigger.run():
        return event.payload
    raise AssertionError("the trigger ended without an event")


def job_id(deferred: TaskDeferred) -> str:
    return str(deferred.trigger.serialize()[1]["job_id"])


def test_job_runs_with_the_steps_arguments_and_its_output_is_in_the_task_log(
    aws: LocalAws, capfd: pytest.CaptureFixture[str]
) -> None:
    task = Task(aws, "done", step="done.orders", arguments={"--limit": 5})
    run = aws.job(task.run())
    assert run["state"] == "SUCCESS"
    assert run["jobDriver"]["sparkSubmit"]["entryPointArguments"] == [
        "done.orders", "--run-id", "scheduled__2026-11-20", "--job", run["name"], "--code", "test",
        "--window-start", "2026-11-19T00:00:00+00:00",
        "--window-end", "2026-11-20T00:00:00+00:00", "--limit", "5",
    ]  # fmt: skip
    task_log = capfd.readouterr().out
    assert "step done.orders arguments" in task_log
    assert f"environment sluice-lake sluice {aws.application_id}" in task_log


def test_job_of_each_try_is_told_the_name_of_its_own_job_run(aws: LocalAws) -> None:
    task = Task(aws, "named", step="report.system")
    for task.try_number in (1, 2):
        with pytest.raises(AirflowException):
            task.run()
    for run in aws.runs("named"):
        words = aws.job(run["id"])["jobDriver"]["sparkSubmit"]["entryPointArguments"]
        assert words[words.index("--job") + 1] == run["name"]


def test_job_run_is_tagged_and_limited(aws: LocalAws) -> None:
    run = aws.job(Task(aws, "tagged", step="done", execution_timeout_minutes=7).run())
    assert run["executionTimeoutMinutes"] == 7
    assert run["tags"] == {
        "project": "sluice",
        "dag": "lake",
        "task": "tagged",
        "run": "scheduled__2026-11-20",
    }


def test_link_leads_to_the_page_of_the_job_run(aws: LocalAws) -> None:
    task = Task(aws, "linked", step="done")
    run = task.run()
    with urlopen(task.xcoms["job_run"]) as page:  # noqa: S310 - the stand-in's own address
        assert run in page.read().decode()


@pytest.mark.parametrize("kind", ["data", "configuration"])
def test_bad_data_and_bad_setup_are_never_retried(aws: LocalAws, kind: str) -> None:
    with pytest.raises(AirflowFailException, match=f"PlantedError: planted {kind}"):
        Task(aws, f"bad-{kind}", step=f"report.{kind}").run()


@pytest.mark.parametrize("kind", ["transient", "system"])
def test_other_failures_are_retried(aws: LocalAws, kind: str) -> None:
    with pytest.raises(AirflowException, match=f"PlantedError: planted {kind}") as failure:
        Task(aws, f"bad-{kind}", step=f"report.{kind}").run()
    assert not isinstance(failure.value, AirflowFailException)


def test_exit_code_tells_the_kind_of_a_job_that_reported_nothing(aws: LocalAws) -> None:
    with pytest.raises(AirflowFailException, match="ExitCode: 65"):
        Task(aws, "mute-data", step="exit.65").run()
    with pytest.raises(AirflowException, match="ExitCode: 3") as failure:
        Task(aws, "mute-system", step="exit.3").run()
    assert not isinstance(failure.value, AirflowFailException)


def test_error_names_the_log_and_the_task_log_has_its_last_lines(
    aws: LocalAws, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AirflowException) as failure:
        Task(aws, "told", step="exit.1").run()
    run = aws.runs("told")[-1]["id"]
    folder = f"s3://sluice-code/logs/applications/{aws.application_id}/jobs/{run}/SPARK_DRIVER"
    assert f"Logs: {folder}/" in str(failure.value)
    assert "last words" in capfd.readouterr().out


def test_repeated_submission_of_one_try_is_one_job_run(aws: LocalAws) -> None:
    task = Task(aws, "repeated", step="done")
    first = task.run()
    assert task.run() == first
    assert len(aws.runs("repeated")) == 1


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


def test_cleared_task_starts_anew_after_its_old_job_run_was_cancelled(aws: LocalAws) -> None:
    task = Task(aws, "cleared", step="sleep")
    old = job_id(task.start())
    task.clear_number, task.try_number = 1, 2
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


@pytest.mark.parametrize("error", ["Trigger timeout", "Trigger failure"])
def test_wait_that_airflow_ended_cancels_the_job_run(aws: LocalAws, error: str) -> None:
    task = Task(aws, error.replace(" ", "-"), step="sleep")
    run = job_id(task.start())
    with pytest.raises(AirflowException, match=error):
        task.operator().resume_execution("__fail__", {"error": error}, task.context())
    assert aws.wait_for(run, "CANCELLED") == "CANCELLED"


def test_job_run_over_its_own_time_limit_tells_so_and_is_retried(aws: LocalAws) -> None:
    with pytest.raises(AirflowException, match="timed out after 5 minutes") as failure:
        Task(aws, "limit", step="sleep", execution_timeout_minutes=5).run()
    assert not isinstance(failure.value, AirflowFailException)


def test_step_that_was_not_chosen_is_skipped_without_a_job_run(aws: LocalAws) -> None:
    task = Task(aws, "unchosen", step="done", selected_by="tables")
    task.params = {"tables": ["silver.orders"]}
    with pytest.raises(AirflowSkipException, match="done is not among the chosen tables"):
        task.start()
    assert aws.runs("unchosen") == []


def test_empty_choice_runs_every_step(aws: LocalAws) -> None:
    task = Task(aws, "unlimited", step="done", selected_by="tables")
    task.params = {"tables": []}
    assert aws.job(task.run())["state"] == "SUCCESS"


def test_unset_setting_is_named_and_never_retried(aws: LocalAws) -> None:
    task = Task(aws, "unset", step="done", release="", log_uri="")
    with pytest.raises(AirflowFailException, match="SLUICE_RELEASE, SLUICE_CODE_BUCKET"):
        task.start()


def test_impossible_window_is_refused_before_a_job_run_starts(aws: LocalAws) -> None:
    task = Task(aws, "backwards", step="done")
    task.params = {"window_start": "2026-11-21T00:00:00Z", "window_end": "2026-11-20T00:00:00Z"}
    with pytest.raises(AirflowFailException, match="is not before"):
        task.start()
    assert aws.runs("backwards") == []
