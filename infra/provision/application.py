"""Stops the EMR Serverless application before it is deleted: AWS deletes none that is started."""

from __future__ import annotations

import time
from typing import Any

from infra.provision.errors import ProvisionError

LIVE = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING", "QUEUED")
AT_REST = ("CREATED", "STOPPED", "TERMINATED")
WITHIN, PAUSE = 300.0, 2.0  # seconds


def stop(emr: Any, application_id: str) -> None:
    """Stops an application and waits for that. One that is stopped, or gone, is left alone.

    Args:
        emr: boto3 client of EMR Serverless.
        application_id: of the application.

    Raises:
        ProvisionError: job runs are live, which are somebody's work; or it does not stop.
    """
    try:
        state = _state(emr, application_id)
    except emr.exceptions.ResourceNotFoundException:
        return
    if state in AT_REST:
        return
    if live := emr.list_job_runs(applicationId=application_id, states=list(LIVE))["jobRuns"]:
        named = ", ".join(run.get("name") or run["id"] for run in live[:5])
        raise ProvisionError(
            f"{len(live)} job runs are live in {application_id}: {named}. Nothing was destroyed. Start the DAG "
            "emergency_stop, or wait for their end"
        )
    emr.stop_application(applicationId=application_id)
    end = time.monotonic() + WITHIN
    while (state := _state(emr, application_id)) not in AT_REST:
        if time.monotonic() > end:
            raise ProvisionError(f"application {application_id} is {state} after {WITHIN:.0f} s, and not stopped")
        time.sleep(PAUSE)


def _state(emr: Any, application_id: str) -> str:
    return str(emr.get_application(applicationId=application_id)["application"]["state"])
