"""EMR Serverless in memory, whose next answers can be spoilt; and a task on a worker that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import TaskDeferred
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from sluice_airflow.emr.operator import EmrJobOperator
from sluice_airflow.emr.runs import ENDED
from sluice_airflow.job_settings import JobSettings
from tests.plugins.sluice_airflow.airflow_task import Task

SETTINGS = JobSettings("00app", "arn:aws:iam::1:role/job", "s3://code/releases/test", "s3://logs/", "lake")


def refused(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "AnyOperation")


# What AWS, the network and a worker's credentials do now and then.
STUMBLES: dict[str, Exception] = {
    "throttled": refused("ThrottlingException", 429),
    "throttled, as other services say it": refused("TooManyRequestsException"),
    "its own fault": refused("InternalServerException", 500),
    "bad gateway": refused("502", 502),
    "unavailable": refused("ServiceUnavailable", 503),
    "no connection": EndpointConnectionError(endpoint_url="https://emr"),
    "no answer": ReadTimeoutError(endpoint_url="https://emr"),
    "connection reset": ConnectionResetError(104, "reset"),
    "credentials expired": refused("ExpiredTokenException", 403),
}


class FakeEmr:
    """The client of a worker. A job run stays as it is made until a test or a cancel changes it.

    Attributes:
        spoilt: for each operation, what its next calls raise.
    """

    meta = SimpleNamespace(endpoint_url="https://emr.eu-west-1.amazonaws.com", region_name="eu-west-1")

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.spoilt: dict[str, list[Exception]] = {}
        self.cancelled: list[str] = []
        self.while_starting: Any = lambda: None

    def add(self, name: str, state: str = "RUNNING", *, tags: dict[str, str] | None = None, **request: Any) -> str:
        number = len(self.runs) + 1
        created = datetime.now(UTC) + timedelta(milliseconds=number)
        self.runs.append({
            "id": f"00run{number}", "arn": f"arn:{number}", "name": name, "state": state, "createdAt": created,
            "updatedAt": created, "stateDetails": "", "tags": tags or {}, "mode": "BATCH", **request,
        })  # fmt: skip
        return f"00run{number}"

    def run(self, job_id: str) -> dict[str, Any]:
        return next(run for run in self.runs if run["id"] == job_id)

    def start_job_run(self, **request: Any) -> dict[str, Any]:
        known = next((run for run in self.runs if run.get("clientToken") == request["clientToken"]), None)
        job_id = known["id"] if known else self.add(request.pop("name"), **request)
        self.while_starting()
        self._stumble("start_job_run")
        return {"jobRunId": job_id}

    def get_job_run(self, *, applicationId: str, jobRunId: str) -> dict[str, Any]:
        self._stumble("get_job_run")
        return {"jobRun": dict(self.run(jobRunId))}

    def cancel_job_run(self, *, applicationId: str, jobRunId: str) -> None:
        self._stumble("cancel_job_run")
        run = self.run(jobRunId)
        if run["state"] in ENDED:
            raise refused("ValidationException")
        run["state"] = "CANCELLED"
        self.cancelled.append(jobRunId)

    def tag_resource(self, *, resourceArn: str, tags: dict[str, str]) -> None:
        self._stumble("tag_resource")
        next(run for run in self.runs if run["arn"] == resourceArn)["tags"].update(tags)

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, applicationId: str, states: list[str] | None = None, **_: Any) -> Iterator[dict[str, Any]]:
        self._stumble("list_job_runs")
        found = [run for run in self.runs if not states or run["state"] in states]
        shown = ("id", "arn", "name", "state", "createdAt", "updatedAt", "mode")  # a list has no tags and no request
        yield {"jobRuns": [{key: run[key] for key in shown} for run in found]}

    def _stumble(self, operation: str) -> None:
        if planned := self.spoilt.get(operation):
            raise planned.pop(0)


class WorkerTask(Task):
    """As `Task`, but on EMR Serverless in memory and without an S3."""

    def __init__(self, emr: FakeEmr, task_id: str = "load", **arguments: Any) -> None:
        settings: Any = SimpleNamespace(settings=SETTINGS)  # all that a task asks of an AWS
        super().__init__(settings, task_id, **{"step": "silver.orders", **arguments})
        self.emr = emr

    def operator(self) -> EmrJobOperator:
        made = super().operator()
        made.__dict__["hook"] = SimpleNamespace(conn=self.emr, conn_region_name="eu-west-1")
        return made

    def job(self, operator: EmrJobOperator | None = None) -> str:
        """Runs the task up to its deferral; answers its job run."""
        try:
            (operator or self.operator()).execute(self.context())
        except TaskDeferred as deferred:
            return str(deferred.trigger.serialize()[1]["job_id"])
        raise AssertionError("the task did not defer")
