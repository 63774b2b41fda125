"""The HTTP side of EMR Serverless: turns requests into calls, and job runs into the API's documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from moto.core.responses import ActionResult, EmptyResult
from moto.emrserverless import models, responses, urls
from moto.emrserverless.exceptions import ResourceNotFoundException

from infra.local.aws.emr.job_run import BATCH, Attempt, JobRequest, JobRun
from infra.local.aws.emr.page import PATH
from infra.local.aws.emr.runner import JobRunner
from infra.local.aws.emr.service import EmrServerless, timeout_minutes

PAGE = 50
WORKER = {"vCPUHour": 1, "memoryGBHour": 2, "storageGBHour": 20}  # sizes of the driver that `make up` asks for
BILLED_SECONDS = 60  # EMR Serverless bills a minute at least

Item = TypeVar("Item")

_JOB_RUN = "{0}/applications/(?P<applicationId>[^/]+)/jobruns/(?P<jobRunId>[^/]+)"


class EmrServerlessResponse(responses.EMRServerlessResponse):
    """The handlers. moto finds each by the name of its operation."""

    endpoint = ""

    @property
    def backend(self) -> EmrServerless:
        return cast(EmrServerless, models.emrserverless_backends[self.current_account][self.region])

    @property
    def emrserverless_backend(self) -> EmrServerless:
        return self.backend

    def create_application(self) -> ActionResult:
        """As moto's, which forgets the architecture: Terraform would set it again at each apply."""
        answer: Any = super().create_application()
        made: Any = self.backend.get_application(answer.result["applicationId"])
        made.architecture = self._get_param("architecture") or "X86_64"
        return cast(ActionResult, answer)

    def start_job_run(self) -> ActionResult:
        get = self._get_param
        mode = get("mode") or BATCH
        request = JobRequest(
            application_id=get("applicationId"),
            name=get("name"),
            execution_role=get("executionRoleArn"),
            job_driver=get("jobDriver") or {},
            overrides=get("configurationOverrides") or {},
            tags=get("tags") or {},
            timeout_minutes=timeout_minutes(self._get_int_param("executionTimeoutMinutes"), mode),
            mode=mode,
            retry_policy=get("retryPolicy") or {},
        )
        run = self.backend.start_run(request, get("clientToken"))
        return ActionResult({"applicationId": request.application_id, "jobRunId": run.id, "arn": run.arn})

    def get_job_run(self) -> ActionResult:
        run = self._run()
        return ActionResult({"jobRun": _described(run, self._attempt(run))})

    def list_job_runs(self) -> ActionResult:
        found = self.backend.runs(
            self._get_param("applicationId"),
            states=self._get_param("states"),
            mode=self._get_param("mode"),
            after=self._time("createdAtAfter"),
            before=self._time("createdAtBefore"),
        )
        page, token = self._page(found, lambda run: run.id)
        return ActionResult(
            {"jobRuns": [_summary(run, run.attempt) | {"id": run.id} for run in page], "nextToken": token}
        )

    def list_job_run_attempts(self) -> ActionResult:
        run = self._run()
        page, token = self._page(run.attempts, lambda attempt: str(attempt.number))
        own = {"id": run.id, "jobCreatedAt": run.created_at}
        listed = [_summary(run, attempt) | own | {"createdAt": attempt.created_at} for attempt in page]
        return ActionResult({"jobRunAttempts": listed, "nextToken": token})

    def cancel_job_run(self) -> ActionResult:
        run = self._run()
        self.backend.runner.cancel(run, "Job run was cancelled by the CancelJobRun API")
        return ActionResult({"applicationId": run.request.application_id, "jobRunId": run.id})

    def get_dashboard_for_job_run(self) -> ActionResult:
        run = self._run()
        query = {"run": run.id, "application": run.request.application_id, "attempt": self._attempt(run).number}
        return ActionResult({"url": f"{self.endpoint}{PATH}?{urlencode(query)}"})

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"tags": self.backend.tags_of(self._get_param("resourceArn"))})

    def tag_resource(self) -> ActionResult:
        self.backend.tags_of(self._get_param("resourceArn")).update(self._get_param("tags"))
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        tags = self.backend.tags_of(self._get_param("resourceArn"))
        for key in self._get_param("tagKeys"):
            tags.pop(key, None)
        return EmptyResult()

    def _time(self, name: str) -> datetime | None:
        given: datetime | None = self._get_param(name)
        return given.replace(tzinfo=UTC) if given else None  # moto's parser gives UTC without a zone

    def _page(self, items: Sequence[Item], key: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
        """The requested page, and the token of the next one: the key of this page's last item."""
        token, most = self._get_param("nextToken"), self._get_int_param("maxResults") or PAGE
        start = next((index + 1 for index, item in enumerate(items) if key(item) == token), 0)
        page = items[start : start + most]
        return page, key(page[-1]) if start + most < len(items) else None

    def _run(self) -> JobRun:
        return self.backend.find_run(self._get_param("applicationId"), self._get_param("jobRunId"))

    def _attempt(self, run: JobRun) -> Attempt:
        number = self._get_int_param("attempt")
        if number is None:
            return run.attempt
        if not 1 <= number <= len(run.attempts):
            raise ResourceNotFoundException(f"{run.id} attempt {number}", "JobRun")
        return run.attempts[number - 1]


def _summary(run: JobRun, attempt: Attempt) -> dict[str, Any]:
    request = run.request
    return {
        "applicationId": request.application_id,
        "name": request.name,
        "mode": request.mode,
        "arn": run.arn,
        "createdBy": request.execution_role,
        "createdAt": run.created_at,
        "updatedAt": attempt.updated_at,
        "executionRole": request.execution_role,
        "state": attempt.state,
        "stateDetails": attempt.details,
        "releaseLabel": run.release_label,
        "type": "Spark",
        "attempt": attempt.number,
        "attemptCreatedAt": attempt.created_at,
        "attemptUpdatedAt": attempt.updated_at,
    }


def _described(run: JobRun, attempt: Attempt) -> dict[str, Any]:
    request = run.request
    return _summary(run, attempt) | {
        "jobRunId": run.id,
        "jobDriver": request.job_driver,
        "configurationOverrides": request.overrides,
        "tags": run.tags,
        "networkConfiguration": run.network,
        "executionTimeoutMinutes": request.timeout_minutes,
        "retryPolicy": request.retry_policy or None,
        "startedAt": attempt.started_at,
        "endedAt": attempt.ended_at,
        "totalExecutionDurationSeconds": round(attempt.seconds),
        "queuedDurationMilliseconds": _queued_milliseconds(attempt),
        "totalResourceUtilization": _hours(attempt.seconds),
        "billedResourceUtilization": _hours(max(attempt.seconds, BILLED_SECONDS)) if attempt.ended_at else None,
    }


def _hours(seconds: float) -> dict[str, float]:
    """What a worker of this size uses: a local job is its driver alone."""
    return {name: round(size * seconds / 3600, 3) for name, size in WORKER.items()}


def _queued_milliseconds(attempt: Attempt) -> int | None:
    if attempt.started_at is None:
        return None
    return round((attempt.started_at - attempt.created_at).total_seconds() * 1000)


def install(runner: JobRunner, endpoint: str) -> None:
    """Replaces moto's service by this one. Links lead to the endpoint, which is this server's address."""
    EmrServerlessResponse.endpoint = endpoint
    EmrServerless.runner = runner
    patterns = [
        *urls.url_paths,
        f"{_JOB_RUN}/attempts$",
        f"{_JOB_RUN}/dashboard$",
        "{0}/tags/(?P<resourceArn>.+)$",
    ]
    EmrServerless.paths = dict.fromkeys(patterns, EmrServerlessResponse.dispatch)
    models.emrserverless_backends.backend = EmrServerless  # moto makes one for each account and region
