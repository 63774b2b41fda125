"""The operator that keeps a stream alive, on the local EMR Serverless: exactly one job run, whatever gets lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import ReadTimeoutError

from sluice_airflow.stream.desired_state import DesiredState
from sluice_airflow.stream.runs import StreamRuns

if TYPE_CHECKING:
    from sluice_airflow.stream.next_run import NextJobRun
    from tests.plugins.conftest import LocalAws
    from tests.plugins.sluice_airflow.stream.stream_task import StreamTask

    Make = Callable[..., StreamTask]


def test_stream_starts_as_a_stream_that_has_no_time_limit_and_is_tried_again(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("started", failures_per_hour=5, arguments={"--limit": 5})
    run = aws.job(task.scheduled() or "")
    assert run["mode"] == "STREAMING"
    assert run["retryPolicy"] == {"maxFailedAttemptsPerHour": 5}
    assert run["executionTimeoutMinutes"] == 0
    assert re.fullmatch(r"lake/started code test #[0-9a-f]{12} start 1", run["name"])
    mark = re.search(r"#(\w+)", run["name"])[1]
    assert run["jobDriver"]["sparkSubmit"]["entryPointArguments"] == [
        "stream.started", "--dag=lake", f"--run-id=stream__1__{mark}", f"--job={run['name']}", "--code=test",
        "--limit=5",
    ]  # fmt: skip
    assert run["tags"] == {"project": "sluice", "dag": "lake", "task": "started", "run": f"stream__1__{mark}"}
    assert task.desired_state == DesiredState("running", "test", "scheduled__1")


def test_live_stream_is_adopted(stream_task: Make) -> None:
    task = stream_task("adopted")
    first = task.scheduled()
    assert [task.scheduled(), task.by_hand("run")] == [first, first]
    assert len(task.runs) == 1


def test_first_submission_whose_answer_was_lost_is_one_job_run(
    stream_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = stream_task("unanswered")
    with monkeypatch.context() as patch:
        lose_the_answer(patch)
        with pytest.raises(ReadTimeoutError):
            task.scheduled()
    (submitted,) = task.runs
    with monkeypatch.context() as patch:
        patch.setattr(StreamRuns, "all", lambda self: [])  # the list comes later than the job run
        assert task.again() == submitted["id"]
    assert len(task.runs) == 1


def test_later_submission_whose_answer_was_lost_is_one_job_run_also_for_the_next_dag_run(
    aws: LocalAws, stream_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = stream_task("unanswered.later")
    first = task.scheduled() or ""
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=first)
    aws.wait_for(first, "CANCELLED")
    before = task.stream.all()
    with monkeypatch.context() as patch:
        lose_the_answer(patch)
        with pytest.raises(ReadTimeoutError):
            task.scheduled()
    assert len(task.runs) == 2
    with monkeypatch.context() as patch:
        patch.setattr(StreamRuns, "all", lambda self: before)
        assert task.scheduled() == task.runs[-1]["id"]
    assert len(task.runs) == 2


def test_of_two_live_job_runs_the_newer_goes_on(
    aws: LocalAws, stream_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = stream_task("twins")
    first = task.scheduled() or ""
    with monkeypatch.context() as patch:
        patch.setattr(StreamRuns, "all", lambda self: [])
        second = task.scheduled()
    assert second != first
    assert task.scheduled() == second
    assert aws.wait_for(first, "CANCELLED") == "CANCELLED"
    assert task.scheduled() == second
    assert [run.id for run in task.stream.unended()] == [second]


def test_stream_of_a_task_with_a_longer_name_is_another_stream(stream_task: Make) -> None:
    task, other = stream_task("orders"), stream_task("orders.two")
    others = other.scheduled()
    assert task.scheduled() != others
    assert [run.id for run in other.stream.unended()] == [others]


def test_stream_outlives_a_task_that_is_killed(aws: LocalAws, stream_task: Make) -> None:
    task = stream_task("killed.keeper")
    operator = task.operator()
    run = operator.execute(task.dag_run("scheduled", {}))
    operator.on_kill()
    assert [(run.id, run.live) for run in task.stream.unended()] == [(run, True)]


def test_link_leads_to_the_page_of_the_job_run(stream_task: Make) -> None:
    task = stream_task("linked.stream")
    run = task.scheduled()
    with urlopen(task.xcoms["job_run"]) as page:
        assert run in page.read().decode()


def test_unset_setting_is_named_and_never_retried(stream_task: Make) -> None:
    task = stream_task("unset.stream", settings={"lake_bucket": "", "execution_role_arn": ""})
    with pytest.raises(AirflowFailException, match="SLUICE_EMR_ROLE_ARN, SLUICE_LAKE_BUCKET"):
        task.scheduled()


def test_time_to_drain_that_the_task_does_not_have_is_refused(stream_task: Make) -> None:
    task = stream_task("hasty", drain_seconds=400)
    with pytest.raises(ValueError, match="don't fit into execution_timeout 0:10:00: raise it"):
        task.scheduled()


def lose_the_answer(patch: pytest.MonkeyPatch) -> None:
    """Let StartJobRun do its work, and lose its answer together with the worker."""
    from sluice_airflow.stream.keep_alive import EmrStreamOperator

    submit = EmrStreamOperator._submit

    def submit_and_lose(self: EmrStreamOperator, following: NextJobRun) -> str:
        submit(self, following)
        raise ReadTimeoutError(endpoint_url="emr-serverless")

    patch.setattr(EmrStreamOperator, "_submit", submit_and_lose)
