"""EMR Serverless applications and job runs. The jobs really run on this machine.

moto's own backend gives every run SUCCESS at once, and knows no tokens, attempts or modes. This one replaces its job
runs altogether. Of its applications it replaces the first state, and the ids, which must survive a restart.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from moto.core.exceptions import JsonRESTError
from moto.emrserverless import models, urls
from moto.emrserverless.exceptions import (
    AccessDeniedException,
    ResourceNotFoundException,
    ValidationException,
)

from infra.local.addresses import application_id
from infra.local.aws.emr.capacity import IdleWatch, idle_minutes, initial_drivers
from infra.local.aws.emr.job_run import BATCH, DEFAULT_TIMEOUT_MINUTES, STREAMING, TERMINAL, JobRequest, JobRun
from infra.local.aws.emr.runner import JobRunner

_RELEASE_LABEL = re.compile(r"emr-(spark-)?\d+\.\d+\.\d+(-\d{8}|-latest)?")
LEAST_TIMEOUT_MINUTES = 5
MOST_ATTEMPTS = 10


class ConflictException(JsonRESTError):
    """The request contradicts an earlier one."""

    code = 409

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class EmrServerless(models.EMRServerlessBackend):
    """The service in one account and region.

    Attributes:
        runner: runs the jobs of all accounts and regions. Set once, before the server starts.
        paths: URL patterns and their handlers. Set at the same time.
    """

    runner: ClassVar[JobRunner]
    paths: ClassVar[Mapping[str, Callable[..., Any]]]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._runs: dict[str, JobRun] = {}
        self._tokens: dict[tuple[str, str], JobRun] = {}
        self._idle: dict[str, IdleWatch] = {}
        self._start_lock = threading.Lock()

    @property
    def _url_module(self) -> Any:
        return urls  # moto would derive it from this module's name

    @property
    def url_paths(self) -> dict[str, Callable[..., Any]]:
        return {pattern.format(""): handler for pattern, handler in self.paths.items()}

    def reset(self) -> None:
        for run in list(self._runs.values()):
            self.runner.cancel(run, "The local AWS was reset")
        for started in list(self._idle):
            self.stop_application(started)
        super().reset()

    def create_application(
        self,
        name: str,
        release_label: str,
        application_type: str,
        client_token: str,
        initial_capacity: str,
        maximum_capacity: str,
        tags: dict[str, str],
        auto_start_configuration: str,
        auto_stop_configuration: str,
        network_configuration: dict[str, Any] | None,
    ) -> models.Application:
        """Creates an application. Its id follows from its name; a second one of that name gets the next id."""
        if application_type.upper() not in ("SPARK", "HIVE"):
            raise ValidationException(f"Unsupported engine {application_type}")
        if not _RELEASE_LABEL.fullmatch(release_label):
            raise ValidationException(
                f"Type '{application_type}' is not supported for release label '{release_label}' "
                "or release label does not exist"
            )
        for known in self.applications.values():
            if client_token and known.client_token == client_token:
                return known
        application = models.Application(
            name=name,
            release_label=release_label,
            application_type=application_type,
            client_token=client_token,
            account_id=self.account_id,
            region_name=self.region_name,
            initial_capacity=initial_capacity,
            maximum_capacity=maximum_capacity,
            tags=tags,
            auto_start_configuration=auto_start_configuration,
            auto_stop_configuration=auto_stop_configuration,
            network_configuration=network_configuration,
        )
        drawn, application.id = application.id, self._free_id(name)
        application.arn = application.arn.replace(drawn, application.id)
        application.state = "CREATED"  # moto says STARTED, which Terraform's provider never waits for
        application.created_at = application.updated_at = datetime.now(UTC)
        self.applications[application.id] = application
        return application

    def _free_id(self, name: str) -> str:
        ids = (application_id(name if number == 1 else f"{name}/{number}") for number in itertools.count(1))
        taken = {known.id for known in self.applications.values() if known.state != "TERMINATED"}
        return next(candidate for candidate in ids if candidate not in taken)

    def start_run(self, request: JobRequest, client_token: str) -> JobRun:
        """Starts a job run, or gives the one that was started with this token.

        Raises:
            ConflictException: the token was used for another request.
            ValidationException: AWS would refuse the request.
        """
        application = self.get_application(request.application_id)
        self._validate(request)
        with self._start_lock:
            if known := self._tokens.get((application.id, client_token)):
                if known.request != request:
                    raise ConflictException(
                        f"Client token {client_token} was used for a request with other parameters."
                    )
                return known
            self._auto_start(application)
            run = JobRun(
                request,
                arn=application.arn,
                release_label=application.release_label,
                network=application.network_configuration,
            )
            self._runs[run.id] = self._tokens[application.id, client_token] = run
        self.runner.start(run)
        return run

    def find_run(self, application: str, run_id: str) -> JobRun:
        self.get_application(application)
        run = self.known_run(application, run_id)
        if run is None:
            raise ResourceNotFoundException(run_id, "JobRun")
        return run

    def known_run(self, application: str, run_id: str) -> JobRun | None:
        run = self._runs.get(run_id)
        return run if run is not None and run.request.application_id == application else None

    def runs(
        self,
        application: str,
        *,
        states: list[str] | None,
        mode: str | None,
        after: datetime | None,
        before: datetime | None,
    ) -> list[JobRun]:
        """Job runs of an application, newest first."""
        self.get_application(application)
        found = [
            run
            for run in list(self._runs.values())
            if run.request.application_id == application
            and (not states or run.state in states)
            and (not mode or run.request.mode == mode)
            and (not after or run.created_at > after)
            and (not before or run.created_at < before)
        ]
        return found[::-1]

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of an application or job run; the caller may change them."""
        resources: list[models.Application | JobRun] = [*self.applications.values(), *self._runs.values()]
        for resource in resources:
            if resource.arn == arn:
                return resource.tags
        raise ResourceNotFoundException(arn, "Resource")

    def _auto_start(self, application: models.Application) -> None:
        if application.state == "STARTED":
            return
        wanted: Any = application.auto_start_configuration
        if application.state == "TERMINATED" or not wanted.get("enabled", True):
            raise ValidationException(
                f"Application {application.id} is in state {application.state}. Cannot start job run."
            )
        self.start_application(application.id)

    def start_application(self, application_id: str) -> None:
        """Starts it, with the pre-initialised drivers that it asks for, until it is stopped or idle for long."""
        super().start_application(application_id)
        application: Any = self.applications[application_id]
        self.runner.keep_warm(application_id, initial_drivers(application.initial_capacity))
        self._forget_idle(application_id)
        if minutes := idle_minutes(application.auto_stop_configuration):
            self._idle[application_id] = IdleWatch(
                minutes * self.runner.minute,
                partial(self._busy, application_id),
                partial(self._stop_idle, application_id),
            )

    def stop_application(self, application_id: str) -> None:
        super().stop_application(application_id)
        self._forget_idle(application_id)
        self.runner.keep_warm(application_id, 0)

    def _stop_idle(self, application_id: str) -> None:
        with self._start_lock:
            if not self._busy(application_id):
                self.stop_application(application_id)

    def _forget_idle(self, application_id: str) -> None:
        if watch := self._idle.pop(application_id, None):
            watch.end()

    def _busy(self, application_id: str) -> bool:
        runs = list(self._runs.values())
        return any(run.request.application_id == application_id and run.state not in TERMINAL for run in runs)

    def _validate(self, request: JobRequest) -> None:
        if request.execution_role.split(":")[4:5] != [self.account_id]:
            raise AccessDeniedException("Cross-account pass role is not allowed.")
        if "sparkSubmit" not in request.job_driver:
            raise ValidationException("jobDriver must have sparkSubmit: no other engine runs here.")
        if 0 < request.timeout_minutes < LEAST_TIMEOUT_MINUTES:
            raise ValidationException(f"RunTimeout must be at least {LEAST_TIMEOUT_MINUTES} minutes.")
        if request.mode == BATCH and "maxFailedAttemptsPerHour" in request.retry_policy:
            raise ValidationException("maxFailedAttemptsPerHour is not applicable to BATCH job runs.")
        if request.mode == STREAMING and "maxAttempts" in request.retry_policy:
            raise ValidationException("maxAttempts is not applicable to STREAMING job runs.")
        for name, value in request.retry_policy.items():
            if not 1 <= value <= MOST_ATTEMPTS:
                raise ValidationException(f"{name} must be between 1 and {MOST_ATTEMPTS}.")


def timeout_minutes(given: int | None, mode: str) -> int:
    """The time limit: as given, else twelve hours. A stream has none by default."""
    if given is None:
        return 0 if mode == STREAMING else DEFAULT_TIMEOUT_MINUTES
    return given
