"""Why a stream's last job run ended, for the person who reads the log of the task that notices it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_airflow.emr.driver_log import DriverLog, Failure, log_folder
from sluice_airflow.stream.runs import StreamRun

LOG_TIME = timedelta(seconds=20)  # logs are shipped apart from the state, and may come after it

log = logging.getLogger(__name__)


def log_end(run: StreamRun, s3: Any, *, log_uri: str, application_id: str) -> None:
    """Logs the state in which a job run ended. For a failed one: the reason, and the last lines of its last attempt.

    Args:
        run: has ended.
        s3: boto3 client.
        log_uri: S3 prefix of the logs.
        application_id: of the job run.
    """
    if run.state != "FAILED":
        log.info("The job run before, %s, ended as %s at %s", run.id, run.state, run.changed_at)
        return
    folder = log_folder(log_uri, application_id, run.id, run.attempt)
    shipped = run.changed_at + LOG_TIME
    stdout, stderr = (
        DriverLog.tail(s3, f"{folder}{name}.gz", lines=lines, patience=(shipped - datetime.now(UTC)).total_seconds())
        for name, lines in (("stdout", 80), ("stderr", 20))
    )
    failure = Failure.of((stdout, stderr), run.details)
    log.error("The JVM's last lines:\n%s\nThe stream's last lines:\n%s", stderr.text, stdout.text)
    log.error(
        "Job run %s FAILED at %s with attempt %d: %s (%s error). Logs: %s",
        run.id, run.changed_at, run.attempt, failure.reason, failure.kind, folder,
    )  # fmt: skip
