"""A job run as the EMR Serverless API shows it: its request, its attempts and their states."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

TERMINAL = frozenset({"SUCCESS", "FAILED", "CANCELLED"})
STREAMING = "STREAMING"
BATCH = "BATCH"
DEFAULT_TIMEOUT_MINUTES = 720
DEFAULT_FAILURES_PER_HOUR = 5  # of a stream, before its retries stop


@dataclass(frozen=True)
class JobRequest:
    """A StartJobRun request. Two requests with one client token must be equal. A time-out of 0 is none."""

    application_id: str
    name: str | None
    execution_role: str
    job_driver: Mapping[str, Any]
    overrides: Mapping[str, Any]
    tags: Mapping[str, str]
    timeout_minutes: int
    mode: str
    retry_policy: Mapping[str, int]

    @property
    def max_attempts(self) -> int:
        """How often a BATCH job is tried."""
        return int(self.retry_policy.get("maxAttempts") or 1)

    @property
    def max_failures_per_hour(self) -> int:
        """How many failures within an hour end a stream."""
        return int(self.retry_policy.get("maxFailedAttemptsPerHour") or DEFAULT_FAILURES_PER_HOUR)

    @property
    def log_uri(self) -> str | None:
        monitoring = self.overrides.get("monitoringConfiguration") or {}
        uri: str | None = (monitoring.get("s3MonitoringConfiguration") or {}).get("logUri")
        return uri

    def log_prefix(self, run_id: str, attempt: int) -> str:
        """Where EMR Serverless puts a driver's logs, below the log URI.

        It only names the attempt for streams, and for BATCH jobs that may be retried.
        """
        numbered = f"attempts/{attempt}/" if self.mode == STREAMING or self.max_attempts > 1 else ""
        return f"applications/{self.application_id}/jobs/{run_id}/{numbered}SPARK_DRIVER/"


@dataclass
class Attempt:
    """One try of a job run."""

    number: int
    state: str = "SUBMITTED"
    details: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def seconds(self) -> float:
        """How long it ran, or has run so far."""
        if self.started_at is None:
            return 0.0
        return ((self.ended_at or datetime.now(UTC)) - self.started_at).total_seconds()


class JobRun:
    """The life of one job run. Any thread may read it while the job runs.

    Attributes:
        id: unique, even among the runs of later servers.
        cancelled: set when the run shall end. The runner waits for it.
    """

    def __init__(self, request: JobRequest, *, arn: str, release_label: str, network: Mapping[str, Any] | None) -> None:
        self.id = new_id()
        self.request = request
        self.arn = f"{arn}/jobruns/{self.id}"
        self.release_label = release_label
        self.network = network
        self.tags = dict(request.tags)
        self.attempts = [Attempt(1)]
        self.cancelled = threading.Event()
        self.cancel_reason = ""
        self._lock = threading.Lock()

    @property
    def created_at(self) -> datetime:
        return self.attempts[0].created_at

    @property
    def attempt(self) -> Attempt:
        """The latest."""
        return self.attempts[-1]

    @property
    def state(self) -> str:
        return self.attempt.state

    def move(self, state: str, details: str = "") -> bool:
        """Goes to a state, if it may, and returns whether it did.

        An ended attempt stays as it is, and a CANCELLING one can only end: nobody sees a cancelled run RUNNING again.
        """
        with self._lock:
            attempt, now = self.attempt, datetime.now(UTC)
            if attempt.state in TERMINAL or (attempt.state == "CANCELLING" and state not in TERMINAL):
                return False
            attempt.state, attempt.details, attempt.updated_at = state, details, now
            if state == "RUNNING":
                attempt.started_at = now
            elif state in TERMINAL:
                attempt.ended_at = now
            return True

    def retry(self) -> None:
        """Opens the next attempt."""
        with self._lock:
            self.attempts.append(Attempt(self.attempt.number + 1))

    def cancel(self, reason: str) -> None:
        """Asks the run to end. It is CANCELLING until its processes are gone."""
        self.cancel_reason = self.cancel_reason or reason
        self.move("CANCELLING", self.cancel_reason)
        self.cancelled.set()

    def may_retry(self) -> bool:
        """Whether the retry policy allows one more attempt."""
        if self.cancelled.is_set():
            return False
        if self.request.mode != STREAMING:
            return self.attempt.number < self.request.max_attempts
        now = datetime.now(UTC)
        recent = [a for a in self.attempts if a.ended_at and (now - a.ended_at).total_seconds() < 3600]
        return len(recent) < self.request.max_failures_per_hour


def new_id() -> str:
    """A job run id in AWS's form, with 56 random bits."""
    return "00" + secrets.token_hex(7)
