"""The watch over a stream on the local EMR Serverless: red with what is wrong, silent when all is well."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from jobs.lake.state.stream_control import Report
from sluice_airflow.stream.desired_state import DesiredState
from sluice_airflow.stream.health import Limits
from sluice_airflow.stream.watch import StreamWatchOperator
from tests.plugins.sluice_airflow.stream.stream_task import NEXT, StreamTask

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws


@dataclass
class Watched:
    """A stream whose driver runs and says what a test makes it say."""

    task: StreamTask
    job: str

    @property
    def well(self) -> Report:
        now = datetime.now(UTC).isoformat()
        return Report(
            reported_at=now, run_id="stream__1__0", job=self.task.aws.job(self.job)["name"], code="test",
            state="running", lag=120, lag_before=90, events_per_second=55.5, batch_seconds=4.2, read=30_000,
            dead_lettered=1500, committed_at=now,
        )  # fmt: skip

    def says(self, report: Report | None) -> None:
        location = {"Bucket": "sluice-lake", "Key": "ops/streams/watched.json"}
        if report:
            self.task.aws.s3.put_object(**location, Body=json.dumps(asdict(report)).encode())
        else:
            self.task.aws.s3.delete_object(**location)

    def watch(self, keeper: str = "watched", settings: Mapping[str, str] | None = None, **arguments: Any) -> None:
        """Lets the watch look once."""
        with DAG("lake", schedule=None):
            operator = StreamWatchOperator(
                task_id="watch", keeper=keeper, desired_state_key=self.task.key, report_key="ops/streams/watched.json",
                dead_letters="bronze.orders_dlq", job_settings=replace(self.task.aws.settings, **(settings or {})),
                **arguments,
            )  # fmt: skip
        operator.execute(Context())


@pytest.fixture(scope="module")
def stream(aws: LocalAws) -> Iterator[Watched]:
    task = StreamTask(aws, "watched", step="sleep")
    job = task.scheduled() or ""
    aws.wait_for(job, "RUNNING")
    yield Watched(task, job)
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=job)
    aws.wait_for(job, "CANCELLED")


def test_stream_that_does_well_gives_one_line_of_figures(stream: Watched, capfd: pytest.CaptureFixture[str]) -> None:
    stream.says(stream.well)
    stream.watch()
    (line,) = [line for line in capfd.readouterr().out.splitlines() if "all is well" in line]
    assert "watched: all is well: job run RUNNING, attempt 1; running, lag 120 (ten minutes ago 90)" in line


def test_driver_that_has_just_begun_need_not_have_reported(stream: Watched) -> None:
    stream.says(None)
    stream.watch()


def test_driver_that_is_silent_since_it_began_is_reported(stream: Watched) -> None:
    stream.says(None)
    with pytest.raises(AirflowFailException, match=rf"job run {stream.job} is RUNNING, attempt 1"):
        stream.watch(limits=Limits(silent_seconds=0))


def test_stream_without_a_job_run_is_reported_with_its_end(stream: Watched, aws: LocalAws) -> None:
    task = StreamTask(aws, "ended")
    aws.emr.cancel_job_run(applicationId=aws.application_id, jobRunId=(job := task.scheduled() or ""))
    aws.wait_for(job, "CANCELLED")
    with pytest.raises(
        AirflowFailException, match=rf"ended: no job run is live; the newest, {job}, has been CANCELLED"
    ):
        stream.watch(keeper="ended")


def test_several_problems_are_reported_together_with_the_figures(stream: Watched) -> None:
    stream.says(replace(stream.well, lag=80_000, lag_before=70_000, dead_lettered=15_000))
    with pytest.raises(AirflowFailException) as alert:
        stream.watch()
    behind, dead, figures = str(alert.value).splitlines()
    assert behind.startswith("watched: it falls behind: 80000 messages wait")
    assert dead.startswith("watched: dead-letter rate: 15000 of 30000 messages of the last ten minutes are not valid")
    assert figures.startswith("Newest figures: job run RUNNING, attempt 1; running, lag 80000")


def test_kafka_that_does_not_answer_is_reported(stream: Watched) -> None:
    stream.says(replace(stream.well, lag=None, lag_before=None))
    with pytest.raises(AirflowFailException, match="Kafka does not answer"):
        stream.watch()


def test_release_that_was_not_handed_over_is_reported(stream: Watched) -> None:
    stream.says(stream.well)
    with pytest.raises(AirflowFailException, match="release test runs, and next is deployed"):
        stream.watch(settings={"release": NEXT})


def test_stream_that_was_stopped_on_request_is_skipped(stream: Watched) -> None:
    stream.says(replace(stream.well, lag=None))
    wanted = stream.task.desired_state
    stream.task.desired_state = DesiredState("stopped", by="manual__9")
    try:
        with pytest.raises(AirflowSkipException, match="watched was stopped by manual__9"):
            stream.watch()
    finally:
        stream.task.desired_state = wanted


def test_unset_setting_is_named_and_those_that_a_watch_has_no_use_for_are_not(stream: Watched) -> None:
    with pytest.raises(AirflowFailException) as refusal:
        stream.watch(settings=dict.fromkeys(("application_id", "execution_role_arn", "lake_bucket"), ""))
    assert str(refusal.value).endswith(": SLUICE_EMR_APPLICATION_ID, SLUICE_LAKE_BUCKET")
