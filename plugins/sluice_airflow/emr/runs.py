"""The job runs of an EMR Serverless application, found by the work that they do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from airflow.sdk import BaseOperatorLink
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import BotoCoreError, ClientError

from sluice_airflow.emr.identity import TRY_TAG, JobIdentity
from sluice_airflow.emr.patience import SECONDS, Answer, code, patiently

LIVE = ("SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING")
ENDED = ("SUCCESS", "FAILED", "CANCELLED")
CANCELLING_SECONDS = 180  # EMR Serverless grants a cancelled driver up to 120
LOOK_SECONDS = 0.5
CLOCKS = timedelta(minutes=10)  # AWS's clock and Airflow's may differ

log = logging.getLogger(__name__)


class JobRunLink(BaseOperatorLink):
    """The button that leads to the job run; the operator stores its address when the run starts."""

    name = "Job run"
    key: ClassVar[str] = "job_run"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address; empty before there is a job run."""
        return str(BaseXCom.get_value(key=self.key, ti_key=ti_key) or "")


@dataclass(frozen=True)
class JobRuns:
    """One application's job runs, through a boto3 client. A request that is not answered is made again.

    Attributes:
        patience: seconds for which it is made again.
    """

    client: Any
    application_id: str
    patience: float = SECONDS

    def get(self, job_id: str) -> dict[str, Any]:
        """What EMR Serverless knows of a job run."""
        answer = self._patiently(lambda: self.client.get_job_run(applicationId=self.application_id, jobRunId=job_id))
        run: dict[str, Any] = answer["jobRun"]
        return run

    def every(self, **filters: Any) -> list[dict[str, Any]]:
        """The job runs that pass ListJobRuns' filters, newest first."""

        def listed() -> list[dict[str, Any]]:
            pages = self.client.get_paginator("list_job_runs").paginate(applicationId=self.application_id, **filters)
            return [run for page in pages for run in page["jobRuns"]]

        return sorted(self._patiently(listed), key=lambda run: run["createdAt"], reverse=True)

    def of(self, identity: JobIdentity, states: Sequence[str] = LIVE, **filters: Any) -> list[dict[str, Any]]:
        """The runs of this work, of any of its tries, in these states, newest first."""
        found = self.every(states=list(states), **filters)
        return [run for run in found if run.get("name", "").startswith(identity.work_prefix)]

    def adoptable(self, identity: JobIdentity, *, killed: Callable[[], bool] = lambda: False) -> dict[str, Any] | None:
        """The run of this work that a task can go on with, if there is one: live, or ended well for an earlier try.

        All other live runs of this work are cancelled: something else was asked of them, or their task was cleared. A
        run that is being cancelled may still write, so it is never adopted, and its end is waited for.

        Args:
            identity: of the task instance.
            killed: whether the task was killed meanwhile; then it adopts nothing, and waits no more.
        """
        give_up = time.monotonic() + CANCELLING_SECONDS
        while (runs := self.of(identity, (*LIVE, "CANCELLING"))) and not killed():
            live = [run for run in runs if run["state"] != "CANCELLING"]
            kept = next((run for run in live if identity.adopts(run["name"])), None)
            for run in live:
                if run is not kept:
                    self.cancel(run["id"], "its task starts again, and no longer asks for it")
            if kept:
                return kept
            if time.monotonic() > give_up:
                raise AirflowException(f"job run {runs[0]['id']} of an earlier try is still being cancelled")
            log.info("Waiting until job run %s of an earlier try has stopped", runs[0]["id"])
            time.sleep(2)
        if identity.try_number > identity.cleared_after + 1:
            done = self.newest(identity)
            if done and done["state"] == "SUCCESS" and identity.adopts(done["name"], ended=True):
                return done
        return None

    def ends_within(self, job_id: str, seconds: float, *, killed: Callable[[], bool]) -> bool:
        """Whether a job run ends within so many seconds; stops looking when its task was killed."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and not killed():
            if self.get(job_id)["state"] in ENDED:
                return True
            time.sleep(LOOK_SECONDS)
        return False

    def newest(self, identity: JobIdentity) -> dict[str, Any] | None:
        """The newest run that this try, or one that it follows, started or adopted, in any state."""
        began = datetime.fromisoformat(identity.run_started) - CLOCKS if identity.run_started else None
        filters = {"createdAtAfter": began} if began else {}
        found = self.of(identity, (*LIVE, "CANCELLING", *ENDED), **filters)
        return next((run for run in found if identity.adopts(run["name"])), None)

    def answer_for(self, run: dict[str, Any], identity: JobIdentity) -> None:
        """Notes on a job run that this try answers for it now, so that the end of an older try leaves it alone."""
        tag = {TRY_TAG: str(identity.try_number)}
        try:
            self._patiently(lambda: self.client.tag_resource(resourceArn=run["arn"], tags=tag))
        except (BotoCoreError, ClientError) as error:
            log.warning("Job run %s can't be tagged: %s", run["id"], error)

    def cancel(self, job_id: str, why: str) -> None:
        """Cancel a job run. It may have ended already."""
        log.warning("Cancelling job run %s: %s", job_id, why)
        try:
            self._patiently(lambda: self.client.cancel_job_run(applicationId=self.application_id, jobRunId=job_id))
        except ClientError as error:
            if code(error) not in ("ValidationException", "ResourceNotFoundException"):
                raise
            log.warning("Job run %s had ended already: %s", job_id, error)

    def cancel_own(self, identity: JobIdentity, job_id: str | None, why: str) -> None:
        """Cancel the live runs that this try answers for, and none that a later try has adopted.

        Args:
            identity: of the task instance; a run of its name may be there although its id has not come back yet.
            job_id: of the run that it started or adopted; None before that.
            why: for the log.
        """
        for run in self.of(identity):
            if run["id"] == job_id or run["name"] == identity.name:
                answering = int(self.get(run["id"]).get("tags", {}).get(TRY_TAG, 0))
                if answering <= identity.try_number:
                    self.cancel(run["id"], why)
                else:
                    log.info("Job run %s is left alone: try %d goes on with it", run["id"], answering)

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        return patiently(call, seconds=self.patience)

    def address(self, job_id: str, log_folder: str) -> str:
        """Where a person looks at a job run: its logs in the S3 console, or the local stand-in's page.

        Empty when EMR Serverless doesn't say: a link that can't be had fails no task. A link to EMR's own page must
        not be kept: it lets anybody in, and expires within the hour.
        """
        if "amazonaws.com" not in self.client.meta.endpoint_url:
            try:
                page = self.client.get_dashboard_for_job_run(applicationId=self.application_id, jobRunId=job_id)
            except (BotoCoreError, ClientError) as error:
                log.warning("Job run %s gets no link: %s", job_id, error)
                return ""
            return str(page["url"])
        region = self.client.meta.region_name
        bucket, _, prefix = log_folder.removeprefix("s3://").partition("/")
        return f"https://{region}.console.aws.amazon.com/s3/buckets/{bucket}?region={region}&prefix={prefix}"
