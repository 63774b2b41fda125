"""The job runs of an EMR Serverless application, found by the work that they do."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow.sdk import BaseOperatorLink
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import ClientError

from sluice_airflow.emr.identity import JobIdentity

LIVE = ("SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING")
ENDED = ("SUCCESS", "FAILED", "CANCELLED")
CANCELLING_SECONDS = 180  # EMR Serverless grants a cancelled driver up to 120

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
    """One application's job runs, through a boto3 client."""

    client: Any
    application_id: str

    def get(self, job_id: str) -> dict[str, Any]:
        """What EMR Serverless knows of a job run."""
        answer = self.client.get_job_run(applicationId=self.application_id, jobRunId=job_id)
        run: dict[str, Any] = answer["jobRun"]
        return run

    def of(self, identity: JobIdentity, states: Sequence[str] = LIVE) -> list[dict[str, Any]]:
        """The runs of this work, of any of its tries, in these states."""
        pages = self.client.get_paginator("list_job_runs").paginate(
            applicationId=self.application_id, states=list(states)
        )
        prefix = identity.work_prefix
        return [run for page in pages for run in page["jobRuns"] if run.get("name", "").startswith(prefix)]

    def adoptable(self, identity: JobIdentity) -> dict[str, Any] | None:
        """The live run of this work that a task can go on with, if there is one.

        A run from before the task was cleared is cancelled. A run that is being cancelled may still write, so it is
        never adopted, and its end is waited for.
        """
        give_up = time.monotonic() + CANCELLING_SECONDS
        while runs := self.of(identity, (*LIVE, "CANCELLING")):
            for run in runs:
                if run["state"] == "CANCELLING":
                    continue
                if run["name"].startswith(identity.adoptable_prefix):
                    return run
                self.cancel(run["id"], "its task was cleared and starts again")
            if time.monotonic() > give_up:
                raise AirflowException(f"job run {runs[0]['id']} of an earlier try is still being cancelled")
            log.info("Waiting until job run %s of an earlier try has stopped", runs[0]["id"])
            time.sleep(2)
        return None

    def cancel(self, job_id: str, why: str) -> None:
        """Cancel a job run. It may have ended already."""
        log.warning("Cancelling job run %s: %s", job_id, why)
        try:
            self.client.cancel_job_run(applicationId=self.application_id, jobRunId=job_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            log.warning("Job run %s had ended already: %s", job_id, error)

    def cancel_live(self, identity: JobIdentity, why: str) -> None:
        """Cancel every live run of this work."""
        for run in self.of(identity):
            self.cancel(run["id"], why)

    def address(self, job_id: str, log_folder: str) -> str:
        """Where a person looks at a job run: its logs in the S3 console, or the local stand-in's page.

        A link to EMR's own page must not be kept: it lets anybody in, and expires within the hour.
        """
        if "amazonaws.com" not in self.client.meta.endpoint_url:
            page = self.client.get_dashboard_for_job_run(applicationId=self.application_id, jobRunId=job_id)
            return str(page["url"])
        region = self.client.meta.region_name
        bucket, _, prefix = log_folder.removeprefix("s3://").partition("/")
        return f"https://{region}.console.aws.amazon.com/s3/buckets/{bucket}?region={region}&prefix={prefix}"
