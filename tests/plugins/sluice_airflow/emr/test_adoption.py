"""Which job run a task goes on with, and which it ends, on EMR Serverless in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferralError, TaskDeferralTimeout
from botocore.exceptions import ClientError

from sluice_airflow.emr.driver_log import DriverLog
from tests.plugins.sluice_airflow.airflow_task import MIDNIGHT
from tests.plugins.sluice_airflow.emr.fake_emr import SETTINGS, STUMBLES, FakeEmr, WorkerTask, refused


def another_window(task: WorkerTask) -> None:
    task.params = {"window_start": "2026-11-01T00:00:00Z", "window_end": "2026-11-02T00:00:00Z"}


def other_arguments(task: WorkerTask) -> None:
    task.arguments["arguments"] = {"--accept": "fewer_rows"}


def another_release(task: WorkerTask) -> None:
    settings = task.arguments["job_settings"]
    task.arguments["job_settings"] = type(settings)(**{**vars(settings), "release": "s3://code/releases/def"})


def other_spark_settings(task: WorkerTask) -> None:
    task.arguments["spark_conf"] = {"spark.executor.memory": "8g"}


def another_role(task: WorkerTask) -> None:
    settings = task.arguments["job_settings"]
    task.arguments["job_settings"] = type(settings)(**{**vars(settings), "execution_role_arn": "arn:aws:iam::1:role/b"})


def dag_run_made_anew(task: WorkerTask) -> None:
    task.run_started = MIDNIGHT + timedelta(hours=9)


@pytest.mark.parametrize(
    "change",
    [another_window, other_arguments, another_release, other_spark_settings, another_role, dag_run_made_anew],
)
def test_live_job_run_of_which_something_else_was_asked_is_ended_and_not_adopted(
    emr: FakeEmr, change: Callable[[WorkerTask], None]
) -> None:
    task = WorkerTask(emr)
    old = task.job()
    change(task)  # try number and run id are the same again, as after a DAG run was deleted
    new = task.job()
    assert new != old
    assert emr.cancelled == [old]


@pytest.mark.parametrize(("step", "kind"), [("gold.fact_orders", "gold"), ("gate", "gate"), ("restore", "operations")])
def test_job_run_has_the_role_of_its_kind(emr: FakeEmr, step: str, kind: str) -> None:
    task = WorkerTask(emr, step=step)
    task.arguments["job_settings"] = replace(SETTINGS, execution_role_arn="arn:aws:iam::1:role/sluice-job-{kind}")
    operator = task.operator()
    task.job(operator)
    assert emr.runs[-1]["executionRoleArn"] == f"arn:aws:iam::1:role/sluice-job-{kind}"
    assert operator.execution_role_arn == emr.runs[-1]["executionRoleArn"], "the UI shows another role"


def test_retry_goes_on_with_its_job_run_although_another_task_was_cleared(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    healthy = task.job()
    task.clear_number, task.try_number = 1, 2
    assert task.job() == healthy
    assert emr.cancelled == []


def test_cleared_task_starts_anew_and_its_own_retries_go_on_with_that(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    old = task.job()
    task.clear()
    new = task.job()
    task.try_number += 1
    assert task.job() == new
    assert emr.cancelled == [old]


def test_retry_takes_the_success_that_came_while_nobody_looked(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    job = task.job()
    emr.run(job)["state"] = "SUCCESS"
    task.try_number = 2
    assert task.operator().execute(task.context()) == job
    assert len(emr.runs) == 1


@pytest.mark.parametrize("cleared_on_its_worker", [False, True])
def test_success_from_before_a_clear_is_done_again(emr: FakeEmr, cleared_on_its_worker: bool) -> None:
    task = WorkerTask(emr)
    job = task.job()
    emr.run(job)["state"] = "SUCCESS"
    if cleared_on_its_worker:  # Airflow then leaves its number of tries as it was
        task.clear_number, task.try_number = 1, 2
    else:
        task.clear()
    assert task.job() != job


def test_failure_is_tried_again_although_an_earlier_one_ended_well(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    emr.run(task.job())["state"] = "FAILED"
    task.try_number = 2
    assert task.job() == "00run2"


def test_of_two_live_job_runs_of_one_work_only_one_goes_on(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    first = task.job()
    second = emr.add(emr.run(first)["name"].replace("try 1", "try 2"))
    task.try_number = 3
    assert task.job() == second
    assert emr.cancelled == [first]


@pytest.mark.parametrize("kind", STUMBLES)
@pytest.mark.parametrize("operation", ["list_job_runs", "start_job_run", "get_job_run"])
def test_stumble_on_the_worker_starts_exactly_one_job_run_and_ends_none(
    emr: FakeEmr, operation: str, kind: str
) -> None:
    task, emr.spoilt[operation] = WorkerTask(emr), [STUMBLES[kind]] * 2
    job = task.job()
    emr.run(job)["state"] = "SUCCESS"
    assert task.operator().execute_complete(task.context(), {"job_id": job}) == job
    assert (len(emr.runs), emr.cancelled) == (1, [])


@pytest.mark.parametrize("kind", ["unavailable", "no connection"])
def test_link_that_cannot_be_had_fails_no_task(emr: FakeEmr, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(**key: str) -> None:
        raise STUMBLES[kind]

    monkeypatch.setattr(emr, "meta", SimpleNamespace(endpoint_url="http://127.0.0.1:8101"), raising=False)
    monkeypatch.setattr(emr, "get_dashboard_for_job_run", page, raising=False)
    assert WorkerTask(emr).job() == "00run1"


# The trigger is lost


def lose_the_trigger(task: WorkerTask, error: str = "Trigger failure") -> object:
    return task.operator().resume_execution("__fail__", {"error": error}, task.context())


def test_lost_trigger_leaves_the_job_run_for_the_retry(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    job = task.job()
    with pytest.raises(TaskDeferralError):
        lose_the_trigger(task)
    task.try_number = 2
    assert task.job() == job
    assert emr.cancelled == []


def test_lost_trigger_of_the_last_try_ends_the_job_run_that_nobody_will_adopt(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    task.try_number = task.max_tries + 1
    job = task.job()
    with pytest.raises(TaskDeferralError):
        lose_the_trigger(task)
    assert emr.cancelled == [job]


def test_trigger_that_timed_out_ends_the_job_run_though_retries_are_left(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    job = task.job()
    with pytest.raises(TaskDeferralTimeout):
        lose_the_trigger(task, TriggerFailureReason.TRIGGER_TIMEOUT)
    assert emr.cancelled == [job]


@pytest.mark.parametrize("error", list(TriggerFailureReason))
def test_success_counts_although_the_trigger_was_lost(emr: FakeEmr, error: str) -> None:
    task = WorkerTask(emr)
    job = task.job()
    emr.run(job)["state"] = "SUCCESS"
    assert lose_the_trigger(task, error) == job


def test_bad_data_is_never_retried_although_the_trigger_was_lost(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    emr.run(task.job()).update(state="FAILED", stateDetails="Job failed. ExitCode: 65. Last few exceptions: none")
    with pytest.raises(AirflowFailException, match="data error, never retried"):
        lose_the_trigger(task)


# The log can't be read


@pytest.fixture(params=["S3 refuses", "no client"])
def unreadable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def client(operator: object) -> object:
        if request.param == "no client":
            raise RuntimeError("there is no such connection")
        return type("S3", (), {"get_object": lambda self, **key: (_ for _ in ()).throw(refused("AccessDenied", 403))})()

    monkeypatch.setattr("sluice_airflow.emr.operator.log_client", client)


@pytest.mark.usefixtures("unreadable")
def test_success_needs_no_log(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    job = task.job()
    emr.run(job)["state"] = "SUCCESS"
    assert task.operator().execute_complete(task.context(), {"job_id": job}) == job


@pytest.mark.usefixtures("unreadable")
@pytest.mark.parametrize(
    ("details", "retried"),
    [
        ("Job failed, please check complete logs. ExitCode: 65. Last few exceptions: x", False),
        ("Job failed, please check complete logs. ExitCode: 78. Last few exceptions: x", False),
        ("Job failed, please check complete logs. ExitCode: 75. Last few exceptions: x", True),
        ("Job failed, please check complete logs. ExitCode: 137. Last few exceptions: x", True),
        ('ExitCode: 1. Last few exceptions: SLUICE-ERROR {"kind": "data", "error": "E", "message": "m"} and', False),
        ("The driver was lost", True),
        ("", True),
    ],
)
def test_failure_has_its_kind_without_a_log(emr: FakeEmr, details: str, retried: bool) -> None:
    task = WorkerTask(emr)
    job = task.job()
    emr.run(job).update(state="FAILED", stateDetails=details)
    with pytest.raises(AirflowException) as failure:
        task.operator().execute_complete(task.context(), {"job_id": job})
    assert isinstance(failure.value, AirflowFailException) is not retried


@pytest.mark.parametrize("kind", STUMBLES)
def test_log_is_best_effort_whatever_s3_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class S3:
        def get_object(self, **key: str) -> None:
            raise STUMBLES[kind]

    log = DriverLog.tail(S3(), "s3://code/logs/stdout.gz", lines=3, patience=0)
    assert "can't be read" in log.text
    assert log.lines == ()


# What the task ends by itself


def test_killed_task_submits_nothing_any_more(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    operator = task.operator()
    operator._identify(task.context())
    operator.on_kill()
    with pytest.raises(AirflowException, match="was killed"):
        operator.execute(task.context())
    assert emr.runs == []


def test_job_run_that_was_taken_while_its_task_was_killed_is_cancelled(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    operator = task.operator()

    def kill() -> None:
        emr.spoilt["list_job_runs"] = [refused("AccessDeniedException", 403)]  # `on_kill` does not see it yet
        with pytest.raises(ClientError):
            operator.on_kill()

    emr.while_starting = kill
    with pytest.raises(AirflowException, match="was killed"):
        operator.execute(task.context())
    assert emr.cancelled == ["00run1"]


def test_submission_that_is_not_answered_is_not_made_again_once_its_task_was_killed(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    operator = task.operator()
    emr.while_starting, emr.spoilt["start_job_run"] = operator.on_kill, [STUMBLES["no answer"]]
    with pytest.raises(AirflowException, match="was killed"):
        operator.execute(task.context())
    assert emr.cancelled == ["00run1"]
    assert len(emr.runs) == 1


@pytest.mark.parametrize("kind", STUMBLES)
def test_cancel_that_is_not_answered_is_asked_for_again(emr: FakeEmr, kind: str) -> None:
    task = WorkerTask(emr)
    operator = task.operator()
    job = task.job(operator)
    emr.spoilt = {name: [STUMBLES[kind]] * 2 for name in ("list_job_runs", "get_job_run", "cancel_job_run")}
    operator.on_kill()
    assert emr.cancelled == [job]


def test_old_tries_end_leaves_the_job_run_that_a_later_try_has_adopted(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    cut_off = task.operator()
    job = task.job(cut_off)
    task.try_number = 2
    later = task.operator()
    assert task.job(later) == job
    cut_off.on_kill()
    assert emr.cancelled == []
    later.on_kill()
    assert emr.cancelled == [job]


def test_old_tries_end_leaves_the_job_run_that_a_later_try_has_started(emr: FakeEmr) -> None:
    task = WorkerTask(emr)
    cut_off = task.operator()
    emr.run(task.job(cut_off))["state"] = "FAILED"
    task.try_number = 2
    later = task.job()
    cut_off.on_kill()
    assert emr.run(later)["state"] == "RUNNING"
