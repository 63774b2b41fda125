"""Ends all job runs of a project, whoever started them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk.exceptions import AirflowException

from sluice_airflow.emr.runs import LIVE, JobRuns

POLL_SECONDS = 3.0
QUIET_LOOKS = 2  # so often in a row nothing may be left: a job run that was just asked for may not be listed yet

log = logging.getLogger(__name__)


@dataclass
class ProjectRuns:
    """The job runs of one project in an application. Each is described once.

    Attributes:
        jobs: of the application.
        project: their tag.
    """

    jobs: JobRuns
    project: str
    _is_ours: dict[str, bool] = field(default_factory=dict)

    def unended(self) -> Iterator[dict[str, Any]]:
        """Those that may still write."""
        for run in self.jobs.every(states=[*LIVE, "CANCELLING"]):
            if run["id"] not in self._is_ours:
                tags = self.jobs.get(run["id"]).get("tags") or {}
                self._is_ours[run["id"]] = tags.get("project") == self.project
            if self._is_ours[run["id"]]:
                yield run


def cancel_batches(runs: ProjectRuns, why: str) -> dict[str, str]:
    """Cancels the live job runs that are no streams, and waits for none; answers their names by id."""
    cancelled = {}
    for run in runs.unended():
        if run.get("mode") != "STREAMING" and run["state"] != "CANCELLING":
            runs.jobs.cancel(run["id"], why)
            cancelled[run["id"]] = run["name"]
    return cancelled


def end_all(runs: ProjectRuns, why: str, *, seconds: float, working: Callable[[], list[str]]) -> dict[str, str]:
    """Returns when no job run can write any more, and no task can start one; answers those that it cancelled.

    Args:
        runs: to end; also those that are started meanwhile.
        why: for the log.
        seconds: after which it gives up.
        working: the tasks that a worker still has.

    Raises:
        AirflowException: something is still there; a retry goes on.
    """
    give_up, quiet, cancelled = time.monotonic() + seconds, 0, dict[str, str]()
    while quiet < QUIET_LOOKS:
        unended = list(runs.unended())
        for run in unended:
            if run["state"] != "CANCELLING":
                runs.jobs.cancel(run["id"], why)
                cancelled[run["id"]] = run["name"]
        left = [*(f"job run {run['id']} ({run['state']})" for run in unended), *working()]
        quiet = 0 if left else quiet + 1
        if left and time.monotonic() > give_up:
            raise AirflowException(f"after {seconds:.0f} s there is still {', '.join(left)}; the retry looks again")
        if left:
            log.info("Waiting for the end of %s", ", ".join(left))
        time.sleep(POLL_SECONDS)
    return cancelled
