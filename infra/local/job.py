"""Runs one step by hand as a real job run, as `aws emr-serverless start-job-run` does on AWS."""

from __future__ import annotations

import gzip
import math
import shlex
import time
from collections.abc import Sequence
from typing import Any

from infra.local import bootstrap, clients, environment, interrupts
from infra.local.addresses import Addresses
from infra.local.errors import PlatformError
from infra.local.lifecycle import say
from infra.local.polling import wait_until
from jobs.lake import job_kinds
from jobs.lake.release import CODE, ENTRY_POINT
from jobs.lake.tables import HOUSEKEEPING

LONGEST_MINUTES = HOUSEKEEPING.minutes  # the person who waits may cancel it at any time
ENDED = ("SUCCESS", "FAILED", "CANCELLED")


def words(arguments: Sequence[str]) -> list[str]:
    """The arguments of run.py. A single text is split as a shell would do it, but nothing in it is run.

    Raises:
        PlatformError: there are none, or a quotation has no end.
    """
    try:
        found = shlex.split(arguments[0]) if len(arguments) == 1 else list(arguments)
    except ValueError as error:
        raise PlatformError(f"the step can't be read ({error}): {arguments[0]}") from error
    if not found:
        raise PlatformError('name a step: make job STEP="quarantine.count"')
    return found


def run(addresses: Addresses, arguments: Sequence[str]) -> int:
    """Submits `run.py ARGUMENTS` with the code as it is now, waits, and prints what it printed.

    Ctrl-C cancels the job run, and waits for its end.

    Returns:
        Exit code: 1 when the job run failed.
    """
    release = bootstrap.release(addresses, environment.of_parts(addresses))
    emr, application = clients.client(addresses, "emr-serverless"), addresses.emr_application_id
    exports = addresses.environment()
    names = ("SLUICE_LAKE_BUCKET", "SLUICE_PROJECT", "SLUICE_EMR_APPLICATION_ID", "SLUICE_ALERT_TOPICS")
    settings = {name: exports[name] for name in names if name in exports}
    confs = [f"--conf spark.emr-serverless.driverEnv.{name}={value}" for name, value in settings.items()]
    name = f"by-hand/{arguments[0]} {time.time():.3f}"
    started = emr.start_job_run(
        applicationId=application,
        executionRoleArn=job_kinds.role(exports["SLUICE_EMR_ROLE_ARN"], arguments[0]),
        name=name,
        executionTimeoutMinutes=LONGEST_MINUTES,
        tags={"project": exports["SLUICE_PROJECT"]},
        jobDriver={
            "sparkSubmit": {
                "entryPoint": f"{release}/{ENTRY_POINT}",
                "entryPointArguments": [*arguments, "--job", name, "--code", release.rpartition("/")[2]],
                "sparkSubmitParameters": " ".join(["--py-files", f"{release}/{CODE}", *confs]),
            }
        },
        configurationOverrides={
            "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": f"s3://{addresses.logs_bucket}/"}}
        },
    )["jobRunId"]
    say(f"job run {started}: run.py {' '.join(arguments)}")
    with interrupts.heard():
        try:
            state = _end(emr, application, started)
        except KeyboardInterrupt:
            interrupts.ignore()
            say(f"interrupted: cancelling job run {started}")
            emr.cancel_job_run(applicationId=application, jobRunId=started)
            say(f"job run {started}: {_end(emr, application, started)}")
            raise
    print(_output(addresses, started))
    say(f"job run {started}: {state}")
    return 0 if state == "SUCCESS" else 1


def _end(emr: Any, application: str, job_run: str) -> str:
    """The state in which a job run ends."""

    def end() -> str:
        state: str = emr.get_job_run(applicationId=application, jobRunId=job_run)["jobRun"]["state"]
        return state if state in ENDED else ""

    return wait_until(end, seconds=math.inf, pause=1)


def _output(addresses: Addresses, job_run: str) -> str:
    """The driver's output. The log may come to S3 a little after the run's end."""
    s3 = clients.client(addresses, "s3")
    key = f"applications/{addresses.emr_application_id}/jobs/{job_run}/SPARK_DRIVER/stdout.gz"
    wait_until(
        lambda: s3.list_objects_v2(Bucket=addresses.logs_bucket, Prefix=key)["KeyCount"],
        seconds=20,
        late=lambda: PlatformError(f"job run {job_run} left no log at s3://{addresses.logs_bucket}/{key}"),
        pause=1,
    )
    body: bytes = s3.get_object(Bucket=addresses.logs_bucket, Key=key)["Body"].read()
    return gzip.decompress(body).decode(errors="replace").rstrip()
