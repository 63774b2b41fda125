"""A stream's job runs, as EMR Serverless remembers them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice_airflow.emr.runs import LIVE, JobRuns

_NAME = re.compile(r"code (?P<code>\S+) #\w+ start (?P<number>\d+)")


@dataclass(frozen=True)
class StreamRun:
    """One job run of a stream. EMR Serverless tries a failed one again by itself, a few times an hour.

    Attributes:
        code: hash of its release.
        number: it is the stream's first, second, third … job run.
        details: what EMR Serverless says about the state.
        attempt: the newest.
        changed_at: when it reached its state; for an ended one, its end.
    """

    id: str
    name: str
    code: str
    number: int
    state: str
    details: str
    attempt: int
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, summary: dict[str, Any]) -> StreamRun:
        """From an entry of ListJobRuns."""
        found = _NAME.search(summary["name"])
        return cls(
            id=summary["id"],
            name=summary["name"],
            code=found["code"] if found else "",
            number=int(found["number"]) if found else 0,
            state=summary["state"],
            details=summary.get("stateDetails") or "",
            attempt=summary.get("attempt") or 1,
            created_at=summary["createdAt"],
            changed_at=summary["updatedAt"],
        )

    @property
    def live(self) -> bool:
        """Whether it runs or is going to run."""
        return self.state in LIVE

    @property
    def over(self) -> bool:
        """Whether it can no longer write. One that is being cancelled still can."""
        return not self.live and self.state != "CANCELLING"


@dataclass(frozen=True)
class StreamRuns:
    """The job runs of the stream that one task keeps alive.

    Attributes:
        jobs: of the application.
        prefix: how the names of the stream's job runs begin. No other name begins so, as an id has no space.
    """

    jobs: JobRuns
    prefix: str

    @classmethod
    def of_task(cls, jobs: JobRuns, dag_id: str, task_id: str) -> StreamRuns:
        return cls(jobs, f"{dag_id}/{task_id} ")

    def all(self) -> list[StreamRun]:
        """Those that EMR Serverless remembers, newest first."""
        found = [run for run in self.jobs.every(mode="STREAMING") if run.get("name", "").startswith(self.prefix)]
        return list(map(StreamRun.of, found))

    def unended(self) -> list[StreamRun]:
        """Those that may still write, newest first."""
        return [run for run in self.all() if not run.over]
