"""A stream that fails on the local EMR Serverless: the log says why, and each rest before the next start is longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from sluice_airflow.stream import keep_alive, last_run
from sluice_airflow.stream.keep_alive import EmrStreamOperator
from sluice_airflow.stream.restart_policy import RestartPolicy
from tests.plugins.sluice_airflow.stream.stream_task import GONE

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws
    from tests.plugins.sluice_airflow.stream.stream_task import StreamTask

    Make = Callable[..., StreamTask]

LONG, SHORT = (
    RestartPolicy(first=timedelta(hours=1), longest=timedelta(hours=8)),
    RestartPolicy(first=timedelta(seconds=30)),
)


@pytest.fixture(autouse=True)
def logs_that_are_shipped_before_the_state_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_run, "LOG_TIME", timedelta(0))  # as the local EMR Serverless does


def failed(task: StreamTask) -> str:
    """Starts the stream and gives its job run's id once it has failed."""
    job = task.by_hand("run") or ""
    task.aws.wait_for(job, "FAILED")
    return job


def test_stream_that_has_failed_rests_and_the_task_says_until_when(
    stream_task: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(EmrStreamOperator, "restart_policy", LONG)
    task = stream_task("resting", settings={"release": GONE})
    job = failed(task)
    task.xcoms.clear()
    assert task.scheduled() is None
    assert [run["id"] for run in task.runs] == [job]
    assert "has failed 1 times in a row: it rests until" in capfd.readouterr().out
    with urlopen(task.xcoms["job_run"]) as page:
        assert job in page.read().decode()


def test_short_rest_is_waited_for(stream_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(EmrStreamOperator, "restart_policy", SHORT)
    monkeypatch.setattr(keep_alive, "time", SimpleNamespace(sleep=slept.append))
    task = stream_task("napping", settings={"release": GONE})
    job = failed(task)
    assert task.scheduled() not in (job, None)
    (rest,) = slept
    assert 0 < rest <= 30


def test_person_starts_a_stream_that_rests_at_once(stream_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmrStreamOperator, "restart_policy", LONG)
    task = stream_task("woken.early", settings={"release": GONE})
    first = failed(task)
    assert task.by_hand("run") != first
    assert len(task.runs) == 2


def test_mended_release_starts_at_once(aws: LocalAws, stream_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmrStreamOperator, "restart_policy", LONG)
    task = stream_task("mended", settings={"release": GONE})
    failed(task)
    task.deploy(aws.settings.release)
    assert " code test " in aws.job(task.scheduled() or "")["name"]


@pytest.mark.slow
def test_log_has_the_reason_of_the_last_attempt_and_says_where_its_log_is(
    aws: LocalAws, stream_task: Make, caplog: pytest.LogCaptureFixture
) -> None:
    task = stream_task("explained", step="report.data", failures_per_hour=2)
    job = failed(task)
    task.by_hand("run")
    folder = f"s3://sluice-logs/applications/{aws.application_id}/jobs/{job}/attempts/2/SPARK_DRIVER/"
    (told,) = [record.getMessage() for record in caplog.records if "FAILED at" in record.getMessage()]
    assert told.endswith(f"with attempt 2: PlantedError: planted data (data error). Logs: {folder}")
    assert "step report.data arguments" in caplog.text, "the log's last lines are missing"


def test_reason_without_a_log_is_what_emr_says(stream_task: Make, caplog: pytest.LogCaptureFixture) -> None:
    task = stream_task("unexplained", settings={"release": GONE})
    failed(task)
    task.by_hand("run")
    (told,) = [record.getMessage() for record in caplog.records if "FAILED at" in record.getMessage()]
    assert "Job failed before its driver started" in told
