"""Stops the EMR Serverless application before it is deleted: AWS deletes none that is started."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from infra.provision.errors import ProvisionError

LIVE = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING", "QUEUED")
AT_REST = ("CREATED", "STOPPED", "TERMINATED")
WITHIN, PAUSE = 300.0, 2.0  # seconds


def refuse_live(emr: Any, application_id: str) -> None:
    """Looks whether job runs are live, which are somebody's work.

    Args:
        emr: boto3 client of EMR Serverless.
        application_id: of the application; one that is gone has none.

    Raises:
        ProvisionError: some are; the message names them.
    """
    if live := _live(emr, application_id):
        named = ", ".join(run.get("name") or run["id"] for run in live[:5])
        raise ProvisionError(
            f"{len(live)} job runs are live in {application_id}: {named}. Nothing was destroyed. Start the DAG "
            "emergency_stop, or wait for their end"
        )


def stop(emr: Any, application_id: str) -> None:
    """Stops an application and waits for that. One that is stopped, or gone, is left alone.

    Job runs that Airflow has started since `refuse_live` are cancelled: every step may be killed at any moment.

    Raises:
        ProvisionError: it does not stop.
    """
    for run in _live(emr, application_id):
        emr.cancel_job_run(applicationId=application_id, jobRunId=run["id"])
    _wait(lambda: not _live(emr, application_id), f"job runs of {application_id} do not end")
    if _state(emr, application_id) not in AT_REST:
        emr.stop_application(applicationId=application_id)
        _wait(lambda: _state(emr, application_id) in AT_REST, f"application {application_id} does not stop")


def _wait(done: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + WITHIN
    while not done():
        if time.monotonic() > end:
            raise ProvisionError(f"{otherwise} within {WITHIN:.0f} s")
        time.sleep(PAUSE)


def _live(emr: Any, application_id: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = emr.list_job_runs(applicationId=application_id, states=list(LIVE))["jobRuns"]
    except emr.exceptions.ResourceNotFoundException:
        return []
    return found


def _state(emr: Any, application_id: str) -> str:
    try:
        return str(emr.get_application(applicationId=application_id)["application"]["state"])
    except emr.exceptions.ResourceNotFoundException:
        return "TERMINATED"
