"""Ends a stream's job runs: the desired state asks them to, and those that don't end in time are cancelled."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from airflow.sdk.exceptions import AirflowException

from sluice_airflow.emr.runs import CANCELLING_SECONDS
from sluice_airflow.stream.runs import StreamRun, StreamRuns

POLL_SECONDS = 2.0

log = logging.getLogger(__name__)


def drain(stream: StreamRuns, ids: Collection[str], why: str, *, seconds: float) -> None:
    """Returns when none of these job runs can write any more. Write the desired state before you call it.

    A job run whose driver has not begun can't read the desired state and has nothing to finish. It is cancelled at
    once.

    Args:
        stream: whose job runs.
        ids: of the job runs that are to end. What somebody else starts meanwhile is not ours to end.
        why: for the log.
        seconds: a driver's time to finish its batch and end; after that it is cancelled.

    Raises:
        AirflowException: a job run is still being cancelled; a retry waits for it again.
    """
    patience = time.monotonic() + seconds
    give_up = patience + CANCELLING_SECONDS
    while unended := [run for run in stream.unended() if run.id in ids]:
        now = time.monotonic()
        for run in unended:
            if run.live and run.state != "RUNNING":
                stream.jobs.cancel(run.id, f"{why}, and it has not begun")
            elif run.live and now > patience:
                stream.jobs.cancel(run.id, f"{why}, and it did not end within {seconds:.0f} s")
        if now > give_up:
            raise AirflowException(f"{_named(unended)}: still not over, {CANCELLING_SECONDS} s after it was cancelled")
        log.info("Waiting for the end of %s: %s", _named(unended), why)
        time.sleep(POLL_SECONDS)


def _named(runs: list[StreamRun]) -> str:
    return ", ".join(f"job run {run.id} ({run.state})" for run in runs)
